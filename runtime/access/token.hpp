#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Bearer tokens (RFC 6750): gnomon_<id>_<secret>. The id finds the record, and the record knows the secret's hash.
namespace gnomon {

/// What a token's text says.
struct token_parts {
  std::string_view id;
  std::string_view secret;
};
/// Nothing when the text cannot be a token. The parts are views into it.
std::optional<token_parts> parse_token(std::string_view text);

/// A token that nobody has had before. `text` is for its owner alone, the others are for the record.
struct new_token {
  std::string text;
  std::string id;
  std::string hash;
};
/// 256 random bits. Takes as long as a hash. Throws std::runtime_error without randomness or memory.
new_token make_token();

/// scrypt (RFC 7914) with a salt, as "scrypt$LOG2_N$R$P$SALT$HASH", both in base64. Takes some 50 ms and 16 MiB, on
/// purpose. Throws std::runtime_error without randomness or memory.
std::string hash_of_secret(std::string_view secret);

/// True when `hash` is of `secret`. Takes as long as making it; compares in constant time. False for a hash that cannot
/// be read, or that would take more than 64 MiB.
bool is_secret_of(std::string_view hash, std::string_view secret);

/// SHA-256, under which a token that was checked is remembered.
using token_digest = std::array<uint8_t, 32>;
token_digest digest_of_token(std::string_view text);

} // namespace gnomon
