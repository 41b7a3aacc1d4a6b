#pragma once

#include "runtime/base/error.hpp"
#include "runtime/replay/trace_line.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gnomon::replay {

/// Gives each different name a number, in the order of their first appearance.
class name_table {
public:
  name_table() = default;
  name_table(name_table&&) = default;
  name_table& operator=(name_table&&) = default;

  uint32_t number_of(std::string_view name);
  const std::string& operator[](size_t number) const {
    return *names_[number];
  }
  size_t size() const {
    return names_.size();
  }

private:
  struct hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, uint32_t, hash, std::equal_to<>> numbers_;
  std::vector<const std::string*> names_; // into the map's keys, which stay where they are
};

/// One read; user, region and item are numbers of the trace's tables.
struct trace_read {
  double t = 0;
  uint32_t user = 0;
  uint32_t item = 0;
  uint16_t region = 0;
};

/// A line that was passed over, with the reason.
struct complaint {
  uint64_t line = 0;
  std::string reason;
};

/// A whole trace in memory, in the order of time.
struct trace {
  std::string source; // the file's name, or what made it
  bool from_access_log = false;
  std::vector<trace_read> reads;
  name_table users;
  name_table regions;
  name_table items;
  std::vector<uint64_t> region_lines; // the line that named each region first

  uint64_t lines = 0;
  uint64_t no_reads = 0;             // well-formed lines without a read
  uint64_t malformed = 0;            // lines that could not be understood
  uint64_t out_of_order = 0;         // reads that were earlier than the one before
  std::vector<complaint> complaints; // the first few malformed lines

  /// Seconds from the first read to the last.
  double span() const {
    return reads.empty() ? 0 : reads.back().t - reads.front().t;
  }
  void add(const raw_read& read, uint64_t line);
  void complain(uint64_t line, std::string reason);
  /// Sorts by time, equal times staying in file order.
  void finish();
};

struct trace_options {
  uint64_t limit = 0;                   // lines to read; 0: all
  std::vector<std::string> log_regions; // regions over which the clients of an access log are spread
};

/// Reads a trace from a CSV file or an access log, plain or gzip, told apart by content. Malformed lines are counted
/// and passed over. Errors: not_found (no such file), invalid_argument (no usable line; says why for the first few).
expected<trace> load_trace(const std::filesystem::path& path, const trace_options& options);

} // namespace gnomon::replay
