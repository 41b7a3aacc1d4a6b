#include "runtime/dns/edns.hpp"

#include <algorithm>
#include <array>

namespace gnomon::dns {

namespace {

// The numbers of the address families (IANA, "Address Family Numbers").
constexpr uint8_t family_ipv4 = 1;
constexpr uint8_t family_ipv6 = 2;

// Zeros behind what was sent. IPv6 addresses that map IPv4 ones become those.
ip_address address_in(uint8_t family, bytes_view sent) {
  std::array<uint8_t, 4> v4{};
  std::array<uint8_t, 16> v6{};
  const auto copied = [sent](auto& bytes) { std::copy(sent.begin(), sent.end(), bytes.begin()); };
  if (family == family_ipv6) {
    copied(v6);
    return ip_address{v6};
  }
  copied(v4);
  return ip_address{v4};
}

// RFC 7871, section 6 and 7.1.2. A subnet of no family and no bits says "do not use my address", as `dig +subnet=0`.
std::optional<client_subnet> read_subnet(bytes_view data) {
  if (data.size() < 4 || data[0] != 0 || data[1] > family_ipv6 || data[3] != 0)
    return std::nullopt;
  const auto family = data[1];
  const auto bits = data[2];
  const auto width = family == family_ipv4 ? 32 : family == family_ipv6 ? 128 : 0;
  if (bits > width || data.size() - 4 != (bits + 7u) / 8)
    return std::nullopt;
  const auto address = address_in(family, data.subspan(4));
  const auto unseen = family == family_ipv6 && address.is_v4() ? 96 : 0;
  const auto client = ip_prefix::around(address, bits - unseen);
  return bits >= unseen && client.address == address ? std::optional(client_subnet{data, client, unseen})
                                                     : std::nullopt;
}

std::optional<cookie_option> read_cookie(bytes_view data) {
  cookie_option cookie;
  if (data.size() != 8 && (data.size() < 16 || data.size() > 40))
    return std::nullopt;
  std::copy_n(data.begin(), cookie.client.size(), cookie.client.begin());
  cookie.server = data.subspan(cookie.client.size());
  return cookie;
}

bool read_option(uint16_t code, bytes_view data, edns_options& out) {
  switch (code) {
  case option::client_subnet: {
    const auto subnet = read_subnet(data);
    if (!subnet || out.subnet)
      return false;
    out.subnet = subnet;
    return true;
  }
  case option::cookie: {
    const auto cookie = read_cookie(data);
    if (!out.cookie)
      out.cookie = cookie;
    return cookie.has_value();
  }
  case option::nsid:
    out.nsid = true;
    return true;
  default:
    return true;
  }
}

} // namespace

std::optional<edns_options> read_options(bytes_view options) {
  edns_options out;
  while (!options.empty()) {
    if (options.size() < 4)
      return std::nullopt;
    const auto code = static_cast<uint16_t>(options[0] << 8 | options[1]);
    const size_t size = static_cast<size_t>(options[2]) << 8 | options[3];
    if (options.size() < 4 + size || !read_option(code, options.subspan(4, size), out))
      return std::nullopt;
    options = options.subspan(4 + size);
  }
  return out;
}

} // namespace gnomon::dns
