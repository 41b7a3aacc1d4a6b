#pragma once

#include "runtime/base/host_port.hpp"
#include "runtime/replay/event_loop.hpp"
#include "runtime/replay/process.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace gnomon::replay {

/// unbound on a free port of 127.0.0.1, which asks the zone's servers for the subnets that its clients name (RFC 7871).
class resolver {
public:
  /// Writes its config and log into `folder`, and waits until it answers for the zone. Errors: not_found (no unbound),
  /// unavailable (it ended, with the end of its log), timeout.
  static expected<std::unique_ptr<resolver>> start(event_loop& loop, const std::filesystem::path& folder,
                                                   const std::string& zone, const std::vector<host_port>& servers);

  const host_port& address() const {
    return address_;
  }

private:
  resolver() = default;
  caf::error wait_until_ready(event_loop& loop, const std::filesystem::path& log, const std::string& zone);

  host_port address_;
  std::unique_ptr<process> program_;
};

/// Its config. Pure.
std::string resolver_config(const std::filesystem::path& folder, const host_port& address, const std::string& zone,
                            const std::vector<host_port>& servers);

} // namespace gnomon::replay
