#pragma once

#include "runtime/replay/options.hpp"

namespace gnomon::replay {

/// Plays the trace by region and by name, kills a region, and prints what came of it. True when every read was
/// answered, both passes were as local as each other, and nobody was sent to the dead region for too long. Errors:
/// those of its steps.
expected<bool> run_geo_dns(const options& wanted);

} // namespace gnomon::replay
