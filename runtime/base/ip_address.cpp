#include "runtime/base/ip_address.hpp"

#include "runtime/base/numbers.hpp"
#include "runtime/base/printable.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>

#include <spdlog/fmt/fmt.h>

namespace gnomon {

namespace {

constexpr std::array<uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

} // namespace

ip_address::ip_address(const std::array<uint8_t, 4>& bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

ip_address::ip_address(const std::array<uint8_t, 16>& bytes) {
  is_v4_ = std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
  if (is_v4_)
    std::copy(bytes.begin() + mapped_prefix.size(), bytes.end(), bytes_.begin());
  else
    bytes_ = bytes;
}

std::optional<ip_address> ip_address::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{}; // inet_pton wants a zero behind the text
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  std::array<uint8_t, 4> v4{};
  if (inet_pton(AF_INET, terminated.data(), v4.data()) == 1)
    return ip_address{v4};
  std::array<uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, terminated.data(), v6.data()) == 1)
    return ip_address{v6};
  return std::nullopt;
}

std::string to_string(const ip_address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.is_v4() ? AF_INET : AF_INET6, address.bytes().data(), text.data(), text.size());
  return text.data();
}

ip_address masked(const ip_address& address, int bits) {
  std::array<uint8_t, 16> kept{};
  const auto bytes = address.bytes();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto in_byte = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    kept[i] = static_cast<uint8_t>(bytes[i] & (0xff00 >> in_byte));
  }
  if (address.is_v4())
    return ip_address{std::array<uint8_t, 4>{kept[0], kept[1], kept[2], kept[3]}};
  return ip_address{kept};
}

int common_bits(const ip_address& a, const ip_address& b) {
  if (a.is_v4() != b.is_v4())
    return 0;
  const auto x = a.bytes(), y = b.bytes();
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i] != y[i])
      return static_cast<int>(i) * 8 + std::countl_zero(static_cast<uint8_t>(x[i] ^ y[i]));
  return a.width();
}

ip_prefix ip_prefix::around(const ip_address& address, int bits) {
  bits = std::clamp(bits, 0, address.width());
  return {masked(address, bits), bits};
}

expected<ip_prefix> ip_prefix::parse(std::string_view text) {
  auto refuse = [text](std::string_view why) {
    return make_error(ec::invalid_argument, fmt::format("\"{}\" is no network such as 192.0.2.0/24 or 2001:db8::/32{}",
                                                        printable(text.substr(0, 80)), why));
  };
  const auto slash = text.find('/');
  const auto address = ip_address::parse(text.substr(0, slash));
  if (!address)
    return refuse("");
  if (slash == std::string_view::npos)
    return ip_prefix{*address, address->width()};
  // "::ffff:10.0.0.0/104" is 10.0.0.0/8: the bits count from the front of what was written.
  const auto offset = address->is_v4() && text.find(':') < slash ? 96 : 0;
  const auto digits = text.substr(slash + 1);
  const auto bits = parse_number<int>(digits);
  if (!bits || *bits < offset || *bits - offset > address->width() || digits.starts_with('-'))
    return refuse(fmt::format(": the bits go from {} to {}", offset, offset + address->width()));
  const auto prefix = around(*address, *bits - offset);
  if (prefix.address != *address)
    return refuse(fmt::format(": it has bits set behind the first {}; the network is {}", *bits, to_string(prefix)));
  return prefix;
}

std::string to_string(const ip_prefix& prefix) {
  return fmt::format("{}/{}", to_string(prefix.address), prefix.bits);
}

} // namespace gnomon
