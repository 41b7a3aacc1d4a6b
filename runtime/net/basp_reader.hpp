#pragma once

#include "runtime/net/basp_guard.hpp"

#include <caf/atom.hpp>

/// How the bytes of CAF's protocol are read. Only `basp_guard.cpp` and `basp_requests.cpp` include this.
namespace gnomon {

namespace basp {

enum operation : uint8_t {
  server_handshake,
  client_handshake,
  direct_message,
  routed_message,
  monitor,
  down,
  heartbeat
};

inline constexpr size_t header_bytes = 32;
inline constexpr uint8_t named_receiver = 1;
inline constexpr auto spawn_server = static_cast<uint64_t>(caf::atom("SpawnServ"));
inline constexpr auto default_node = static_cast<uint64_t>(caf::atom("default"));
inline constexpr size_t node_bytes = 8 + 4 + 20;
inline constexpr uint64_t response_flag = 1ull << 63, request_mask = (1ull << 60) - 1;

inline constexpr size_t longest_name = 255, max_sentence_bytes = 4096, max_addresses = 64;
inline constexpr size_t max_small_bytes = 8192; // of all messages but frames and requests
inline constexpr size_t max_known_actors = 256;

inline bool is_async(uint64_t id) {
  return (id & (response_flag | request_mask)) == 0;
}

inline bool is_response(uint64_t id) {
  return (id & response_flag) != 0;
}

inline void remember(std::set<uint64_t>& actors, uint64_t id) {
  actors.insert(id);
  if (actors.size() > max_known_actors)
    actors.erase(actors.begin()); // the oldest: ids grow
}

inline basp_guard::ruling cut(std::string reason) {
  return {basp_guard::verdict::cut, 0, std::move(reason)};
}

} // namespace basp

/// Reads as CAF's serializers write: numbers with the most significant byte first, texts and lists after their length
/// in groups of seven bits. Remembers a failure, so that its users check once at the end.
class basp_guard::fields {
public:
  explicit fields(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    uint64_t value = 0;
    for (auto c : take(sizeof(T)))
      value = value << 8 | static_cast<uint8_t>(c);
    return static_cast<T>(value);
  }
  size_t length(size_t most) {
    uint64_t value = 0;
    for (auto shift = 0; shift < 35; shift += 7) {
      const auto part = number<uint8_t>();
      value |= static_cast<uint64_t>(part & 0x7F) << shift;
      if ((part & 0x80) == 0)
        return value <= most ? value : fail();
    }
    return fail();
  }
  std::string_view text(size_t most) {
    return take(length(most));
  }
  std::string_view take(size_t count) {
    if (count > rest_.size()) {
      fail();
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  /// An id of CAF's for a node, in the one form that nodes use.
  std::string_view node() {
    const auto bytes = take(basp::node_bytes);
    if (fields{bytes}.number<uint64_t>() != basp::default_node)
      fail();
    return bytes;
  }
  /// The names of the types of a message.
  std::string_view types() {
    if (number<uint16_t>() != 0)
      fail();
    return text(basp::longest_name);
  }
  void error() {
    number<uint8_t>();
    number<uint64_t>();
    auto context = types();
    if (!context.starts_with("@<>"))
      fail();
    for (context.remove_prefix(std::min<size_t>(3, context.size())); !context.empty(); context.remove_prefix(5)) {
      if (!context.starts_with("+@str"))
        return static_cast<void>(fail());
      text(basp::max_sentence_bytes);
    }
  }
  bool good() const {
    return !failed_;
  }
  /// All was there, and nothing is left.
  bool whole() const {
    return !failed_ && rest_.empty();
  }

private:
  size_t fail() {
    failed_ = true;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool failed_ = false;
};

struct basp_guard::header {
  uint8_t operation, flags;
  uint32_t length; // of the payload
  uint64_t data, source, target;

  explicit header(std::string_view bytes) {
    fields in{bytes.substr(0, basp::header_bytes)};
    operation = in.number<uint8_t>();
    in.number<uint16_t>(); // nothing
    flags = in.number<uint8_t>();
    length = in.number<uint32_t>();
    data = in.number<uint64_t>();
    source = in.number<uint64_t>();
    target = in.number<uint64_t>();
  }
  size_t bytes() const {
    return basp::header_bytes + length;
  }
  /// CAF looks for a service of nodes, which none of ours asks for.
  bool asks_spawn_server() const {
    return operation == basp::direct_message && (flags & basp::named_receiver) != 0 && target == basp::spawn_server;
  }
};

} // namespace gnomon
