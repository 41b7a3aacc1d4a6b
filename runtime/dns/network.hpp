#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct sockaddr;

namespace gnomon::dns {

/// Address families with the numbers that DNS uses (IANA, "Address Family Numbers").
enum class family : uint8_t { none = 0, ipv4 = 1, ipv6 = 2 };

/// The bits of an address of that family: 32 or 128.
constexpr uint8_t address_bits(family kind) {
  return kind == family::ipv4 ? 32 : kind == family::ipv6 ? 128 : 0;
}

/// An address prefix, or with all its bits an address. Bits behind the prefix are zero.
struct network {
  family kind = family::none;
  uint8_t bits = 0;
  std::array<uint8_t, 16> bytes{}; // an IPv4 address stands in the first four

  bool operator==(const network&) const = default;
};

/// `address` cut to its first `bits` bits; as it is when it has no more.
network cut(network address, uint8_t bits);

/// Whether `inner` lies in `outer`, or is the same.
bool contains(const network& outer, const network& inner);

/// Of how many bits, from `bits` on, a prefix of `address` must be to hold none of `others` that does not hold
/// `address` itself: the scope of an answer that a network of `bits` bits decides, while longer networks inside it
/// decide otherwise. With the networks that decide at all as `others`, these prefixes never overlap.
uint8_t bits_apart(const network& address, uint8_t bits, const std::vector<network>& others);

/// `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.1`; nothing for other text, or when bits behind the prefix are set.
std::optional<network> parse_network(const std::string& text);
std::string to_string(const network& prefix);

/// The address in a socket address of IPv4 or IPv6; family `none` for others.
network address_of(const sockaddr& from);

} // namespace gnomon::dns
