#pragma once

#include "runtime/node/config.hpp"

namespace gnomon {

/// Checks whether a node with this config could start on this machine. The start itself and `gnomond --check` call it.
/// It removes everything that it creates to try. It does not check ports and stores that another process has. Errors:
/// bad_config, store_failed; the sentence names the key and says what to do.
caf::error check_start(const node_config& config);

/// Reads the location databases, which takes a second for each 60 MB; so a start does it only once. Errors: those of
/// `locator::make`.
caf::error check_databases(const node_config& config);

/// HTTP connections that the process can have: as many as the config says, or fewer when its limit on open files is
/// lower.
uint32_t possible_connections(const node_config& config);

std::string store_path(const node_config& config, size_t index);

} // namespace gnomon
