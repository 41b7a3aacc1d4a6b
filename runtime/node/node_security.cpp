#include "runtime/node/node_security.hpp"

#include "runtime/base/log.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon {

expected<tunnel_security> security_of(const node_config& config) {
  tunnel_security security{nullptr, config.insecure, config.insecure_networks};
  for (const auto& text : config.cluster_proxies)
    security.proxies.push_back(*ip_prefix::parse(text)); // the config was checked
  const credential_files files{config.certificate, config.key, config.authorities};
  if (files.empty())
    return security;
  auto loaded = credentials::load(files, config.name);
  if (!loaded)
    return make_error(ec::bad_config, "[cluster] " + sentence_of(loaded.error()));
  security.credentials = std::move(*loaded);
  return security;
}

expected<http_security> http_security_of(const node_config& config) {
  http_security security;
  security.authorize = config.authorizes_http();
  security.origins = config.http_origins;
  security.proxy_protocol = config.http_proxy_protocol;
  for (const auto& text : config.http_proxies)
    if (auto network = ip_prefix::parse(text))
      security.proxies.push_back(*network);
  for (const auto& text : config.http_clients)
    if (auto client = parse_named_grant(text))
      security.clients.insert_or_assign(client->name, std::make_shared<const grant>(std::move(client->rights)));
  if (config.http_certificate.empty())
    return security;
  auto loaded = credentials::of_http_server({config.http_certificate, config.http_key, config.http_client_authorities});
  if (!loaded)
    return make_error(ec::bad_config, "[http] " + sentence_of(loaded.error()));
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
