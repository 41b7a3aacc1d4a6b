#include "runtime/dns/network.hpp"

#include "runtime/base/numbers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace gnomon::dns {

network cut(network address, uint8_t bits) {
  if (bits >= address.bits)
    return address;
  address.bits = bits;
  size_t whole = bits / 8;
  if (bits % 8 != 0)
    address.bytes[whole++] &= static_cast<uint8_t>(0xff << (8 - bits % 8));
  std::fill(address.bytes.begin() + static_cast<std::ptrdiff_t>(whole), address.bytes.end(), uint8_t{0});
  return address;
}

bool contains(const network& outer, const network& inner) {
  return outer.kind == inner.kind && outer.bits <= inner.bits && cut(inner, outer.bits) == outer;
}

uint8_t bits_apart(const network& address, uint8_t bits, const std::vector<network>& others) {
  for (const auto& other : others) {
    if (other.kind != address.kind || contains(other, address))
      continue;
    uint8_t common = 0;
    while (common < other.bits && cut(other, common + 1) == cut(address, common + 1))
      ++common;
    if (common >= bits)
      bits = static_cast<uint8_t>(common + 1);
  }
  return bits;
}

std::optional<network> parse_network(const std::string& text) {
  const auto slash = text.find('/');
  const auto host = text.substr(0, slash);
  network parsed;
  if (inet_pton(AF_INET, host.c_str(), parsed.bytes.data()) == 1)
    parsed.kind = family::ipv4;
  else if (inet_pton(AF_INET6, host.c_str(), parsed.bytes.data()) == 1)
    parsed.kind = family::ipv6;
  else
    return std::nullopt;
  parsed.bits = address_bits(parsed.kind);
  if (slash == text.npos)
    return parsed;
  const auto bits = parse_number<uint8_t>(text.substr(slash + 1));
  if (!bits || *bits > parsed.bits)
    return std::nullopt;
  auto prefix = cut(parsed, *bits);
  return prefix.bytes == parsed.bytes ? std::optional(prefix) : std::nullopt;
}

std::string to_string(const network& prefix) {
  if (prefix.kind == family::none)
    return "unknown";
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(prefix.kind == family::ipv4 ? AF_INET : AF_INET6, prefix.bytes.data(), text.data(), text.size());
  std::string result = text.data();
  return prefix.bits == address_bits(prefix.kind) ? result : result + '/' + std::to_string(prefix.bits);
}

network address_of(const sockaddr& from) {
  network address;
  if (from.sa_family == AF_INET) {
    address.kind = family::ipv4;
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in&>(from).sin_addr, 4);
  } else if (from.sa_family == AF_INET6) {
    address.kind = family::ipv6;
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, 16);
  }
  address.bits = address_bits(address.kind);
  return address;
}

} // namespace gnomon::dns
