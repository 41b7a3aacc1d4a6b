#pragma once

#include <string>
#include <vector>

namespace gnomon::virtual_replay {

/// The command `gnomon replay`. Prints the page or the JSON, and returns the exit status: 0; 1 when the trace or a
/// table cannot be used; 2 for wrong usage.
int replay_command(const std::vector<std::string>& arguments);

} // namespace gnomon::virtual_replay
