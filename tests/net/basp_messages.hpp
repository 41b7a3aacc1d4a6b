#pragma once

#include <caf/atom.hpp>

#include <cstdint>
#include <string>

/// Messages of CAF's protocol between nodes as bytes, written by hand: sound ones, and such as no CAF would write.
namespace gnomon::test::basp {

enum operation : uint8_t { server_handshake, client_handshake, direct, routed, monitor, down, heartbeat };

template <class T>
std::string number(T value) {
  std::string bytes;
  for (auto shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>(static_cast<uint64_t>(value) >> shift);
  return bytes;
}

inline std::string length(uint32_t value) {
  std::string bytes;
  for (; value > 0x7F; value >>= 7)
    bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string text(const std::string& s) {
  return length(static_cast<uint32_t>(s.size())) + s;
}

/// A node's id, of which `letter` is all that differs.
inline std::string node(char letter) {
  return number(static_cast<uint64_t>(caf::atom("default"))) + number<uint32_t>(77) + std::string(20, letter);
}

struct head {
  operation what = direct;
  uint64_t data = 0, source = 0, target = 0;
  uint8_t flags = 0;
};

/// `announced`: the length that the header says, when it is not that of the payload.
inline std::string message(const head& h, const std::string& payload, int64_t announced = -1) {
  const auto size = announced < 0 ? payload.size() : static_cast<size_t>(announced);
  return std::string{static_cast<char>(h.what), 0, 0, static_cast<char>(h.flags)} + number(static_cast<uint32_t>(size))
         + number(h.data) + number(h.source) + number(h.target) + payload;
}

/// The payload of a message to an actor.
inline std::string content(const std::string& types, const std::string& values) {
  return length(0) + number<uint16_t>(0) + text(types) + values;
}

inline std::string client_greeting(const std::string& id) {
  return message({.what = client_handshake}, id);
}

inline std::string server_greeting(const std::string& id, uint64_t gate) {
  const auto programs = length(1) + text("generic-caf-app");
  return message({.what = server_handshake, .data = 4}, id + programs + number(gate) + length(1) + text("iface"));
}

inline std::string frame(uint64_t session, const std::string& bytes) {
  return content("@<>+gnomon::frame", number(session) + text(bytes));
}

inline std::string credit(uint64_t session, uint64_t bytes, uint32_t frames) {
  return content("@<>+gnomon::credit", number(session) + number(bytes) + number(frames));
}

/// A node's answer to a program that has greeted its gate.
inline std::string welcome(uint64_t router, const std::string& id) {
  const auto identity = text("c") + text("n") + text("r") + text("127.0.0.1:1") + std::string(32, '\1') + length(0);
  return content("@<>+gnomon::client_welcome", identity + number(router) + id);
}

struct hello_facts {
  std::string name = "peer";
  std::string id = node('p');
  uint64_t session = 9, end = 5, window_bytes = 1000;
  uint32_t window_frames = 4;
};

inline std::string hello(const hello_facts& facts) {
  const auto identity =
      text("c") + text(facts.name) + text("r") + text("127.0.0.1:1") + std::string(32, '\1') + length(0);
  return content("@<>+gnomon::hello", identity + number(facts.session) + number(facts.end) + facts.id
                                          + number(facts.window_bytes) + number(facts.window_frames));
}

} // namespace gnomon::test::basp
