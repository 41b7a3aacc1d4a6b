#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <string>

namespace gnomon::test {

/// `host` is an IPv4 address in digits.
inline sockaddr_in socket_address(const std::string& host, uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &where.sin_addr);
  return where;
}

} // namespace gnomon::test
