#pragma once

#include "learning/history/access_log.hpp"

namespace gnomon::learning {

/// A trace, as `trace_reader` reads it.
struct trace_file {
  access_log log; // in order of time
  std::vector<std::string> regions;
  uint64_t bad_lines = 0;
};

/// Errors: not_found, invalid_argument (it has nothing usable), bad_message (a damaged file).
expected<trace_file> read_trace(const std::string& path);

} // namespace gnomon::learning
