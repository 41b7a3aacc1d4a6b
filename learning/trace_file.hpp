#pragma once

#include "learning/training.hpp"

namespace gnomon::learning {

/// A trace: CSV whose first line names its columns, among them t (or time, timestamp: seconds since 1970 UTC), user (or
/// user_id) and item (or data_id), and perhaps region; other columns are passed over. May be gzipped.
struct trace_file {
  access_log log; // in order of time
  std::vector<std::string> regions;
  uint64_t bad_lines = 0;
};

/// Errors: not_found, invalid_argument (columns missing, nothing in it).
expected<trace_file> read_trace(const std::string& path);

} // namespace gnomon::learning
