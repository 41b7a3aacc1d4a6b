#pragma once

#include "runtime/base/published.hpp"
#include "runtime/dns/edns.hpp"

namespace gnomon::dns {

using cookie_secret = std::array<uint8_t, 16>;
using server_cookie = std::array<uint8_t, 16>;

/// Makes and checks server cookies as RFC 9018 has them: version 1, a time, and SipHash-2-4 over client cookie, time
/// and client address. Servers that share a secret take one another's cookies. Thread-safe.
class cookie_jar {
public:
  /// With a random secret.
  cookie_jar();
  explicit cookie_jar(cookie_secret secret);

  /// Makes with `next` from now on, and goes on taking cookies made with the secret before it.
  void rotate(cookie_secret next);
  /// The same with a random secret.
  void rotate();

  /// `now` in seconds since 1970.
  server_cookie make(const std::array<uint8_t, 8>& client_cookie, const ip_address& client, uint32_t now) const;
  /// Whether this is a cookie of ours for that client, made at most an hour before `now` and at most five minutes
  /// after.
  bool valid(const cookie_option& cookie, const ip_address& client, uint32_t now) const;

private:
  struct secrets {
    cookie_secret current{};
    cookie_secret previous{};
  };
  published<secrets> secrets_;
};

} // namespace gnomon::dns
