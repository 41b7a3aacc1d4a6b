#pragma once

#include "runtime/replay/options.hpp"

namespace gnomon::replay {

/// Does what the command line asks, with progress on standard error and the page on standard output. Returns the exit
/// status: 0, 1 when something failed (said on standard error), 2 for a wrong argument.
int replay_main(const std::vector<std::string>& arguments);

} // namespace gnomon::replay
