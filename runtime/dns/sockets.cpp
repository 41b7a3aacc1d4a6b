#include "runtime/dns/sockets.hpp"

#include "gnomon/error.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spdlog/fmt/fmt.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace gnomon::dns {

namespace {

// Not in every libc's headers.
constexpr int pmtudisc_omit = 5;

struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};

socket_address address_for(const host_port& where) {
  socket_address made;
  auto& v4 = reinterpret_cast<sockaddr_in&>(made.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(made.storage);
  if (inet_pton(AF_INET, where.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(where.port);
    made.size = sizeof v4;
  } else if (inet_pton(AF_INET6, where.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(where.port);
    made.size = sizeof v6;
  } else {
    throw failure(ec::bad_config,
                  fmt::format("DNS cannot listen at {}: the host must be an address, not a name", to_string(where)));
  }
  return made;
}

[[noreturn]] void refuse(const host_port& where, std::string_view protocol) {
  const auto cause = errno;
  const auto* hint = cause == EACCES       ? "; ports below 1024 need CAP_NET_BIND_SERVICE"
                     : cause == EADDRINUSE ? "; another DNS server is there"
                                           : "";
  throw failure(ec::unavailable, fmt::format("DNS cannot listen at {} ({}): {}{}", to_string(where), protocol,
                                             std::strerror(cause), hint));
}

void enable(const descriptor& socket, int level, int name, int value = 1) {
  setsockopt(socket.get(), level, name, &value, sizeof value);
}

descriptor open_at(const host_port& where, int kind, std::string_view protocol) {
  const auto address = address_for(where);
  const auto family = address.get()->sa_family;
  descriptor socket(::socket(family, kind | SOCK_CLOEXEC, 0));
  if (socket.get() < 0)
    refuse(where, protocol);
  if (family == AF_INET6)
    enable(socket, IPPROTO_IPV6, IPV6_V6ONLY);
  enable(socket, SOL_SOCKET, (kind & SOCK_DGRAM) != 0 ? SO_REUSEPORT : SO_REUSEADDR);
  if (bind(socket.get(), address.get(), address.size) != 0)
    refuse(where, protocol);
  return socket;
}

// No fragments on the way out: what is forged into them would count as ours (RFC 9715).
void set_up_udp(const descriptor& socket) {
  constexpr int receive_bytes = 4 << 20;
  const timeval wait{.tv_sec = 0, .tv_usec = 250'000};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  enable(socket, SOL_SOCKET, SO_RCVBUF, receive_bytes);
  enable(socket, IPPROTO_IP, IP_MTU_DISCOVER, pmtudisc_omit);
  if (is_wildcard(socket)) {
    enable(socket, IPPROTO_IP, IP_PKTINFO);
    enable(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO);
  }
}

socket_address name_of(const descriptor& socket) {
  socket_address made;
  made.size = sizeof made.storage;
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&made.storage), &made.size);
  return made;
}

} // namespace

descriptor::~descriptor() {
  if (number_ >= 0)
    close(number_);
}

descriptor open_udp(const host_port& where) {
  auto socket = open_at(where, SOCK_DGRAM, "UDP");
  set_up_udp(socket);
  return socket;
}

descriptor open_tcp(const host_port& where) {
  constexpr int backlog = 128;
  auto socket = open_at(where, SOCK_STREAM | SOCK_NONBLOCK, "TCP");
  if (listen(socket.get(), backlog) != 0)
    refuse(where, "TCP");
  return socket;
}

std::optional<ip_address> address_of(const sockaddr& from) {
  std::array<uint8_t, 4> v4;
  std::array<uint8_t, 16> v6;
  switch (from.sa_family) {
  case AF_INET:
    std::memcpy(v4.data(), &reinterpret_cast<const sockaddr_in&>(from).sin_addr, v4.size());
    return ip_address{v4};
  case AF_INET6:
    std::memcpy(v6.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, v6.size());
    return ip_address{v6};
  default:
    return std::nullopt;
  }
}

host_port bound_to(const descriptor& socket) {
  const auto name = name_of(socket);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (name.storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(name.storage);
    return {inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size()), ntohs(v4.sin_port)};
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name.storage);
  return {inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size()), ntohs(v6.sin6_port)};
}

bool is_wildcard(const descriptor& socket) {
  const auto where = bound_to(socket);
  return where.host == "0.0.0.0" || where.host == "::";
}

} // namespace gnomon::dns
