#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gnomon {

/// Where a server listens, or where a client connects to: `127.0.0.1:7101`, `[::1]:7101`, `node.example.com:7101`.
struct host_port {
  std::string host; // without brackets; empty: nowhere
  uint16_t port = 0;
  bool empty() const {
    return host.empty();
  }
  bool operator==(const host_port&) const = default;
};

/// HOST:PORT, with an IPv6 address in brackets; empty for nowhere.
std::string to_string(const host_port& where);
/// Reads that form; nothing for other text. An IPv6 address needs its brackets, because without them its end is not
/// clear. Does not check whether the host exists.
std::optional<host_port> parse_host_port(std::string_view text);

} // namespace gnomon
