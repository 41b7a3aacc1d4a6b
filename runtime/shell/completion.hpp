#pragma once

#include "runtime/shell/command.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon::shell {

/// Sources of words that depend on the node and on this machine; each may be empty.
struct completion_sources {
  using words = std::vector<std::string>;
  std::function<words(const std::string& prefix)> ids = {};
  std::function<words(const std::string& prefix)> types = {};   // of data: what ids have before their first slash
  std::function<words(const std::string& scope)> policies = {}; // names of the policies of that scope
  std::function<words()> regions = {};
  std::function<words()> nodes = {};
  std::function<words()> sockets = {};
};

/// The candidates for the word before the cursor.
struct completions {
  size_t begin = 0;                    // where that word begins in the line
  std::vector<std::string> candidates; // as they would be typed, sorted, each beginning with the word
};

/// `line` ends where its last word does, or behind a blank. Pure, except for the sources and, where a file is wanted,
/// the file system.
completions complete(std::string_view line, const completion_sources& sources);

/// Where the word at `cursor` ends in `line`.
size_t word_end(std::string_view line, size_t cursor);

/// The longest text with which all candidates begin, without the half of a character or of an escape.
std::string common_prefix(const std::vector<std::string>& words);

} // namespace gnomon::shell
