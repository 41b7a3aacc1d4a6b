#pragma once

#include "runtime/shell/command.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon::shell {

/// Sources of words that depend on the node; either may be empty.
struct completion_sources {
  std::function<std::vector<std::string>(const std::string& prefix)> ids;
  std::function<std::vector<std::string>()> regions;
};

/// The candidates for the word before the cursor.
struct completions {
  size_t begin = 0;                    // where that word begins in the line
  std::vector<std::string> candidates; // as they would be typed, sorted, each beginning with the word
};

/// `line` is the text up to the cursor. Pure, except for the sources and, where a file is wanted, the file system.
completions complete(std::string_view line, const completion_sources& sources);

/// The longest text with which all candidates begin.
std::string common_prefix(const std::vector<std::string>& words);

} // namespace gnomon::shell
