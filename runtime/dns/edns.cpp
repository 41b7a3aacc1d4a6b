#include "runtime/dns/edns.hpp"

#include <algorithm>

namespace gnomon::dns {

namespace {

// RFC 7871, section 6 and 7.1.2. A subnet of no family and no bits says "do not use my address", as `dig +subnet=0`.
std::optional<network> read_subnet(bytes_view data) {
  if (data.size() < 4 || data[0] != 0 || data[1] > 2 || data[3] != 0)
    return std::nullopt;
  network address{.kind = static_cast<family>(data[1])};
  const auto source = data[2];
  address.bits = address_bits(address.kind);
  const auto bytes = data.subspan(4);
  if (source > address.bits || bytes.size() != (source + 7u) / 8)
    return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  const auto prefix = cut(address, source);
  return prefix.bytes == address.bytes ? std::optional(prefix) : std::nullopt;
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
