#include "runtime/node/node_location.hpp"

namespace gnomon {

location_config location_of(const node_config& config) {
  location_config result;
  result.databases = config.location_databases;
  for (const auto& text : config.location_networks)
    if (auto network = parse_configured_network(text))
      result.networks.push_back(*network);
  result.own_region = config.region;
  result.own_place = {config.latitude, config.longitude};
  return result;
}

std::vector<ip_prefix> proxies_of(const node_config& config) {
  std::vector<ip_prefix> proxies;
  for (const auto& text : config.location_proxies)
    if (auto network = ip_prefix::parse(text))
      proxies.push_back(*network);
  return proxies;
}

} // namespace gnomon
