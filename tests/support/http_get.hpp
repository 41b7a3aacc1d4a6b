#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

/// The smallest HTTP client that serves the tests: one request a connection, everything bounded in time.
namespace gnomon::test {

struct http_answer {
  int status = 0; // 0: no answer
  std::string head;
  std::string body;
};

/// The value of the answer's field; empty: it has none.
inline std::string field(const http_answer& answer, const std::string& name) {
  auto at = answer.head.find("\r\n" + name + ": ");
  if (at == std::string::npos)
    return {};
  at += name.size() + 4;
  return answer.head.substr(at, answer.head.find("\r\n", at) - at);
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A line of a head.
inline std::string line(const std::string& name, const std::string& value) {
  return name + ": " + value + "\r\n";
}

/// A TCP connection to a port of this machine, whose every wait ends after `timeout_s`; closed with the object.
class connection {
public:
  explicit connection(uint16_t port, int timeout_s = 10) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval bound{timeout_s, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    open_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~connection() {
    ::close(fd_);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  bool open() const {
    return open_;
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  /// One complete answer to anything but HEAD; empty when the connection ended before.
  std::string read_answer() {
    size_t end;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive())
        return {};
    end += 4;
    auto field = received_.find("Content-Length: ");
    auto length = field < end ? std::strtoull(received_.c_str() + field + 16, nullptr, 10) : 0;
    while (received_.size() < end + length)
      if (!receive())
        return {};
    auto answer = received_.substr(0, end + length);
    received_.erase(0, end + length);
    return answer;
  }
  /// What comes until the other side closes, or the timeout.
  std::string read_all() {
    while (receive())
      ;
    return std::exchange(received_, {});
  }
  void half_close() {
    ::shutdown(fd_, SHUT_WR);
  }

private:
  bool receive() {
    char buffer[65536];
    auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0)
      received_.append(buffer, static_cast<size_t>(n));
    return n > 0;
  }

  int fd_;
  bool open_ = false;
  std::string received_;
};

/// One request; `fields` are further header lines, each ended by CRLF.
inline http_answer http(uint16_t port, const std::string& method, const std::string& target,
                        const std::string& body = {}, const std::string& fields = {}) {
  connection to{port};
  auto length =
      body.empty() && method != "PUT" ? std::string{} : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!to.open()
      || !to.send(method + " " + target + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n" + length + fields + "\r\n"
                  + body))
    return {};
  auto all = to.read_all();
  auto end = all.find("\r\n\r\n");
  if (end == std::string::npos || all.size() < 12)
    return {};
  return {std::atoi(all.c_str() + 9), all.substr(0, end + 2), all.substr(end + 4)};
}

/// A port that was free a moment ago.
inline uint16_t free_port() {
  auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof any;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&any), size) != 0
      || ::getsockname(fd, reinterpret_cast<sockaddr*>(&any), &size) != 0)
    throw std::runtime_error("no free port");
  ::close(fd);
  return ntohs(any.sin_port);
}

} // namespace gnomon::test
