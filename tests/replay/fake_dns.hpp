#pragma once

#include "runtime/replay/event_loop.hpp"

#include <boost/asio/ip/udp.hpp>

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// Messages as bytes, and a server in the test's own loop that answers as it is told.
namespace fake_dns {

using bytes = std::vector<uint8_t>;

inline bytes u16(size_t value) {
  return {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

inline bytes operator+(bytes a, const bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline bytes name(const std::string& text) {
  bytes wire;
  for (size_t at = 0; at < text.size();) {
    auto dot = std::min(text.find('.', at), text.size());
    wire.push_back(static_cast<uint8_t>(dot - at));
    wire.insert(wire.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                text.begin() + static_cast<std::ptrdiff_t>(dot));
    at = dot + 1;
  }
  wire.push_back(0);
  return wire;
}

/// A record whose owner is the question's name.
inline bytes record(uint16_t type, uint32_t ttl, const bytes& data) {
  return bytes{0xc0, 12} + u16(type) + u16(1) + u16(ttl >> 16) + u16(ttl & 0xffff) + u16(data.size()) + data;
}

inline bytes svcb(uint16_t priority, const std::string& host, uint16_t port, const bytes& hint = {}) {
  auto data = u16(priority) + name(host) + u16(3) + u16(2) + u16(port);
  return hint.empty() ? data : data + u16(4) + u16(hint.size()) + hint;
}

inline bytes soa(uint32_t minimum) {
  auto data = name("ns") + name("mail");
  for (auto number : {1u, 2u, 3u, 4u, minimum})
    data = data + u16(number >> 16) + u16(number & 0xffff);
  return data;
}

inline constexpr size_t header_bytes = 12;

/// The answer to a question's bytes, of which the name and type are repeated.
inline bytes answer(const bytes& asked, int code, const std::vector<bytes>& records,
                    const std::vector<bytes>& authority = {}) {
  auto end = header_bytes;
  while (asked[end] != 0)
    end += asked[end] + 1u;
  end += 5;
  bytes message{asked[0], asked[1], 0x81, static_cast<uint8_t>(0x80 | code)};
  message = message + u16(1) + u16(records.size()) + u16(authority.size()) + u16(0);
  message.insert(message.end(), asked.begin() + header_bytes, asked.begin() + static_cast<std::ptrdiff_t>(end));
  for (const auto& each : records)
    message = message + each;
  for (const auto& each : authority)
    message = message + each;
  return message;
}

/// "a.g.example", and the type.
inline std::pair<std::string, int> question_of(const bytes& asked) {
  std::string text;
  auto at = header_bytes;
  for (; asked[at] != 0; at += asked[at] + 1u)
    text += (text.empty() ? "" : ".")
            + std::string(asked.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                          asked.begin() + static_cast<std::ptrdiff_t>(at + 1u + asked[at]));
  return {text, asked[at + 1] << 8 | asked[at + 2]};
}

class server {
public:
  using udp = boost::asio::ip::udp;
  explicit server(gnomon::replay::event_loop& loop) : socket_(loop.io(), {boost::asio::ip::address_v4::loopback(), 0}) {
    receive();
  }

  gnomon::host_port address() const {
    return {"127.0.0.1", socket_.local_endpoint().port()};
  }

  std::function<bytes(const bytes& asked)> reply; // empty bytes: none
  std::vector<bytes> asked;

private:
  void receive() {
    socket_.async_receive_from(boost::asio::buffer(buffer_), client_, [this](auto failure, size_t size) {
      if (failure)
        return;
      asked.emplace_back(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
      if (auto message = reply(asked.back()); !message.empty())
        socket_.send_to(boost::asio::buffer(message), client_);
      receive();
    });
  }

  udp::socket socket_;
  udp::endpoint client_;
  std::array<uint8_t, 4096> buffer_{};
};

} // namespace fake_dns
