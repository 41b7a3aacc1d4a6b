#include "runtime/node/node_security.hpp"

#include "runtime/base/log.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon {

expected<tunnel_security> security_of(const node_config& config) {
  tunnel_security security{nullptr, config.insecure, config.insecure_networks};
  const credential_files files{config.certificate, config.key, config.authorities};
  if (files.empty())
    return security;
  auto loaded = credentials::load(files, config.name);
  if (!loaded)
    return make_error(ec::bad_config, "[cluster] " + sentence_of(loaded.error()));
  security.credentials = std::move(*loaded);
  return security;
}

expected<tunnel_config> tunnel_of(const node_config& config) {
  auto security = security_of(config);
  if (!security)
    return security.error();
  tunnel_config tunnel;
  tunnel.listen = to_string(config.tunnel);
  tunnel.security = std::move(*security);
  if (config.insecure && !config.insecure_networks.empty())
    log::warn("gnomond", "plain-tcp",
              {{"networks", fmt::format("{}", fmt::join(config.insecure_networks, ","))},
               {"meaning", "whoever can reach these networks can read and write everything"}});
  tunnel.socket = config.socket_path();
  tunnel.delays = config.link_delay;
  return tunnel;
}

} // namespace gnomon
