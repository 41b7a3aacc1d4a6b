#pragma once

#include "runtime/base/error.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Addresses and prefixes of IPv4 and IPv6: the one parser for configs, headers and DNS. Pure.
namespace gnomon {

/// An address of either family. An IPv6 address that maps an IPv4 one (`::ffff:192.0.2.1`, RFC 4291, 2.5.5.2) is that
/// IPv4 address, because both name the same client.
class ip_address {
public:
  ip_address() = default; // 0.0.0.0
  explicit ip_address(const std::array<uint8_t, 4>& bytes);
  explicit ip_address(const std::array<uint8_t, 16>& bytes);

  /// Reads "192.0.2.1" or "2001:db8::1", without brackets, port, zone and blanks. Nothing for other text.
  static std::optional<ip_address> parse(std::string_view text);

  bool is_v4() const {
    return is_v4_;
  }
  /// 32 or 128.
  int width() const {
    return is_v4_ ? 32 : 128;
  }
  /// In the order of the network: 4 or 16 bytes.
  std::span<const uint8_t> bytes() const {
    return {bytes_.data(), is_v4_ ? 4u : 16u};
  }
  auto operator<=>(const ip_address&) const = default;

private:
  bool is_v4_ = true;
  std::array<uint8_t, 16> bytes_{}; // IPv4: the first four
};

/// As `parse` reads it; IPv6 in the form of RFC 5952.
std::string to_string(const ip_address& address);

/// `address` with all bits behind the first `bits` cleared.
ip_address masked(const ip_address& address, int bits);

/// How many leading bits two addresses share; 0 for different families.
int common_bits(const ip_address& a, const ip_address& b);

/// A network: all addresses of one family that begin with the same bits.
struct ip_prefix {
  ip_address address; // further bits are zero
  int bits = 0;       // 0 to 32 or 128

  /// The network of that many bits in which `address` lies.
  static ip_prefix around(const ip_address& address, int bits);
  /// Reads "10.0.0.0/8", "2001:db8::/32", or an address alone, which is a network of itself. Errors: invalid_argument
  /// with a sentence that names `text`: not a prefix, too many bits, or bits set behind the prefix.
  static expected<ip_prefix> parse(std::string_view text);

  bool contains(const ip_address& other) const {
    return address.is_v4() == other.is_v4() && common_bits(address, other) >= bits;
  }
  bool contains(const ip_prefix& other) const {
    return bits <= other.bits && contains(other.address);
  }
  bool operator==(const ip_prefix&) const = default;
};

std::string to_string(const ip_prefix& prefix);

} // namespace gnomon
