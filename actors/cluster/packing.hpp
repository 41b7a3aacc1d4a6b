#pragma once

#include "actors/messages/protocol.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <algorithm>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

/// How requests and replies between nodes become the bytes of a parcel, and back. For `link.cpp` only.
namespace gnomon {

inline constexpr size_t exchange_count = std::tuple_size_v<peer_exchanges>;

template <class Request, size_t I = 0>
constexpr size_t position_of() {
  if constexpr (std::is_same_v<Request, typename std::tuple_element_t<I, peer_exchanges>::request_type>)
    return I;
  else
    return position_of<Request, I + 1>();
}

template <class Request>
using reply_of = typename std::tuple_element_t<position_of<Request>(), peer_exchanges>::reply_type;

// -- parcels' bytes --------------------------------------------------------------------------------------------------

inline constexpr uint8_t reply_ok = 0; // a reply's first byte; else the code of an error, whose sentence follows

template <class T>
std::vector<char> pack(caf::actor_system& system, uint8_t first, T& x) {
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  if (sink(first, x))
    bytes.clear();
  return bytes;
}

inline std::vector<char> pack_error(caf::actor_system& system, const caf::error& reason) {
  auto sentence = sentence_of(reason);
  return pack(system, static_cast<uint8_t>(code_of(reason)), sentence);
}

template <class T>
caf::error unpack(caf::actor_system& system, const std::vector<char>& bytes, T& x) {
  caf::binary_deserializer source{system, bytes.data() + 1, bytes.size() - 1};
  if (source(x) || source.remaining() > 0)
    return make_error(ec::bad_message, "a peer's message cannot be read; do both nodes run the same version?");
  return {};
}

template <class Reply>
expected<Reply> unpack_reply(caf::actor_system& system, const std::vector<char>& bytes) {
  if (bytes.front() == reply_ok) {
    Reply reply;
    if (auto err = unpack(system, bytes, reply))
      return err;
    return reply;
  }
  std::string sentence;
  if (auto err = unpack(system, bytes, sentence))
    return err;
  auto code = std::min(static_cast<uint8_t>(bytes.front()), static_cast<uint8_t>(ec::internal));
  return make_error(static_cast<ec>(code), sentence);
}

} // namespace gnomon
