#pragma once

#include "runtime/base/ip_address.hpp"
#include "runtime/dns/name.hpp"

#include <array>
#include <optional>

namespace gnomon::dns {

/// Option codes (IANA, "DNS EDNS0 Option Codes").
namespace option {
enum : uint16_t { nsid = 3, client_subnet = 8, cookie = 10, extended_error = 15 };
}

/// Info codes of extended errors (RFC 8914, section 5.2).
enum class extended_error : uint16_t {
  other = 0,
  stale_answer = 3,
  not_ready = 14,
  prohibited = 18,
  not_authoritative = 20,
  not_supported = 21,
};

/// The client's part of a cookie, and the server's as the client sent it back: nothing, or 8 to 32 bytes (RFC 7873).
struct cookie_option {
  std::array<uint8_t, 8> client{};
  bytes_view server;
};

/// The network for whose clients a resolver asks (RFC 7871).
struct client_subnet {
  bytes_view sent;  // the option's data: family, bits, scope, address; the answer repeats it
  ip_prefix client; // no bits: the resolver wants its own address to count
  int unseen = 0;   // bits of an IPv6 network before those of the IPv4 network that it maps: 96, or 0

  uint8_t bits() const {
    return sent[2];
  }
};

/// The options that the responder understands. Those it does not know are passed over (RFC 6891, section 6.1.2).
struct edns_options {
  std::optional<client_subnet> subnet;
  std::optional<cookie_option> cookie;
  bool nsid = false; // RFC 5001
};

/// Reads the options of an OPT record; nothing when they call for FORMERR: an option that is cut off; a subnet with an
/// unknown family, too many bits, a length that does not fit its bits, bits behind its prefix, a scope, or given twice;
/// a cookie of a length that RFC 7873 does not allow. Of several cookies the first counts.
std::optional<edns_options> read_options(bytes_view options);

} // namespace gnomon::dns
