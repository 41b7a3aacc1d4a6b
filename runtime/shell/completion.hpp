#pragma once

#include "runtime/shell/command.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon::shell {

/// Where words that depend on the node come from; either may be empty.
struct completion_sources {
  std::function<std::vector<std::string>(const std::string& prefix)> ids;
  std::function<std::vector<std::string>()> regions;
};

/// What could stand in place of the word before the cursor.
struct completions {
  size_t begin = 0;                    // where that word begins in the line
  std::vector<std::string> candidates; // as they would be typed, sorted, each beginning with the word
};

/// `line` up to the cursor. Pure but for the sources and, where a file is wanted, the file system.
completions complete(std::string_view line, const completion_sources& sources);

/// The longest text with which all begin.
std::string common_prefix(const std::vector<std::string>& words);

} // namespace gnomon::shell
