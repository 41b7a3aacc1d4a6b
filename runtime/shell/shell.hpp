#pragma once

#include <string>
#include <vector>

namespace gnomon::shell {

/// The program `gnomon`: one command from `words`, or a session at the terminal when there is none. Returns the exit
/// status: 0; 1 when something failed or was not found; 2 for wrong usage. Throws nothing.
int run(const std::vector<std::string>& words);

} // namespace gnomon::shell
