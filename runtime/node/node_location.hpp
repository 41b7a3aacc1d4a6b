#pragma once

#include "runtime/location/locator.hpp"
#include "runtime/node/config.hpp"

#include <vector>

namespace gnomon {

/// What the node's locator answers from. `config` was checked by `load_config`, so that its networks are sound.
location_config location_of(const node_config& config);

/// The proxies whose forwarding headers count.
std::vector<ip_prefix> proxies_of(const node_config& config);

} // namespace gnomon
