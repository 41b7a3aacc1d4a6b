#pragma once

#include "tests/support/http_get.hpp"
#include "tests/support/tls_client.hpp"

#include <string>

namespace gnomon::test {

/// As `http`, in TLS. No answer where the handshake fails.
inline http_answer https(uint16_t port, const std::string& method, const std::string& target,
                         const std::string& body = {}, const std::string& fields = {},
                         const tls_client::manner& how = {}) {
  tls_client to{port, how};
  const auto length =
      body.empty() && method != "PUT" ? std::string{} : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!to.shake_hands()
      || !to.send(method + " " + target + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n" + length + fields + "\r\n"
                  + body))
    return {};
  const auto all = to.receive(4u << 20);
  const auto end = all.find("\r\n\r\n");
  if (end == std::string::npos || all.size() < 12)
    return {};
  return {std::atoi(all.c_str() + 9), all.substr(0, end + 2), all.substr(end + 4)};
}

} // namespace gnomon::test
