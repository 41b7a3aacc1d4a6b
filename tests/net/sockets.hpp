#pragma once

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/// Plain blocking sockets for tests; every wait is bounded.
namespace gnomon::test {

inline int checked(int result, const char* what) {
  if (result < 0)
    throw std::runtime_error(std::string{what} + ": " + std::strerror(errno));
  return result;
}

class test_socket {
public:
  explicit test_socket(int fd) : fd_(fd) {}
  test_socket(test_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~test_socket() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int fd() const {
    return fd_;
  }

  void send(const std::string& bytes) {
    checked(static_cast<int>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL)), "send");
  }

  /// Bytes that fit within `bound`; zero when none did.
  size_t send_some(const std::string& bytes, std::chrono::milliseconds bound) {
    pollfd p{fd_, POLLOUT, 0};
    if (::poll(&p, 1, static_cast<int>(bound.count())) != 1)
      return 0;
    auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<size_t>(n) : 0;
  }

  /// Waits for `count` bytes; fewer when the other side closes or 5 s pass without any.
  std::string receive(size_t count) {
    std::string bytes(count, '\0');
    size_t have = 0;
    while (have < count) {
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, 5000) != 1)
        break;
      auto n = ::recv(fd_, bytes.data() + have, count - have, 0);
      if (n <= 0)
        break;
      have += static_cast<size_t>(n);
    }
    bytes.resize(have);
    return bytes;
  }

private:
  int fd_;
};

inline uint16_t port_of(const std::string& address) {
  return static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

inline sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline test_socket connect_tcp(uint16_t port) {
  test_socket socket{checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
  auto address = loopback(port);
  checked(::connect(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), "connect");
  return socket;
}

/// Listens on TCP and never says a word.
class tcp_listener {
public:
  tcp_listener() : socket_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    checked(::bind(socket_.fd(), reinterpret_cast<sockaddr*>(&address), size), "bind");
    checked(::listen(socket_.fd(), 16), "listen");
    checked(::getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    port_ = ntohs(address.sin_port);
  }
  std::string address() const {
    return "127.0.0.1:" + std::to_string(port_);
  }

private:
  test_socket socket_;
  uint16_t port_ = 0;
};

class unix_listener {
public:
  explicit unix_listener(const std::string& path)
      : socket_(checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    checked(::bind(socket_.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
    checked(::listen(socket_.fd(), 16), "listen");
  }
  test_socket accept() {
    pollfd p{socket_.fd(), POLLIN, 0};
    if (::poll(&p, 1, 5000) != 1)
      throw std::runtime_error("nobody connects");
    return test_socket{checked(::accept(socket_.fd(), nullptr, nullptr), "accept")};
  }

private:
  test_socket socket_;
};

} // namespace gnomon::test
