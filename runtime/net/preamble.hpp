#pragma once

#include "actors/messages/messages.hpp"
#include "runtime/base/error.hpp"

#include <string>
#include <string_view>

/// What two tunnels tell each other before any byte reaches CAF. Written and read by hand, with every length checked,
/// because the other side may be a stranger.
///
/// Envelope: "GNOMON", format number (1 byte), length of the body (2 bytes), body. Integers are little-endian, texts a
/// length (2 bytes) and their bytes. Of its identity a shell has the name and the start, and a dash
/// for every other text. The caller's
/// body is its identity (cluster, node, region, address, incarnation,
/// start, latitude and longitude as IEEE 754 bits), the number of the connection (8 bytes), and which move of that
/// connection this is (4 bytes). The answer's is a verdict (1 byte), a sentence and an identity.
namespace gnomon {

inline constexpr size_t preamble_head_bytes = 9;
inline constexpr size_t max_preamble_bytes = 4096;

/// Who calls, and what for.
struct caller {
  node_identity who;
  uint64_t connection = 0; // drawn by the node that calls first
  uint32_t move = 0;       // 0: it is new; n: it stands, has moved n - 1 times, and is to go on over this one
};

std::string encode_caller(const caller& by);
std::string encode_greeting(const greeting& answer);

/// Number of body bytes that follow `head`. Errors: bad_message for another magic, format or a length over the limit.
expected<size_t> body_length(std::string_view head);

/// Errors: bad_message for lengths that do not fit, and for names that are empty, not UTF-8 or contain control
/// characters.
expected<caller> decode_caller(std::string_view body);
expected<greeting> decode_greeting(std::string_view body);

} // namespace gnomon
