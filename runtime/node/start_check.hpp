#pragma once

#include "runtime/node/config.hpp"

namespace gnomon {

/// What only this machine can tell about a config: whether a node that has it could start here. Run by the start
/// itself, and by `gnomond --check`; what it makes to try, it removes again. Ports and stores that another process has
/// are not looked at. Errors: bad_config, store_failed; the sentence names the key and says what to do.
caf::error check_start(const node_config& config);

/// HTTP connections that the process can have: as many as the config says, unless its limit on open files allows fewer.
uint32_t possible_connections(const node_config& config);

std::string store_path(const node_config& config, size_t index);

} // namespace gnomon
