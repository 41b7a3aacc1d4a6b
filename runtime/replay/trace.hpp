#pragma once

#include "runtime/base/trace_reader.hpp"
#include "runtime/replay/reader_places.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gnomon::replay {

/// Gives each different name a number, in the order of first appearance.
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

/// One write of an item that is there already.
struct trace_update {
  double t = 0;
  uint32_t item = 0;
};

/// A whole trace in memory, in the order of time.
struct trace {
  std::string source; // the file's name, or what made it
  bool from_access_log = false;
  std::vector<trace_read> reads;
  std::vector<trace_update> updates; // written in the origin region; files have none
  name_table users;
  name_table regions;
  name_table items;
  std::vector<uint64_t> region_lines; // the line that named each region first

  trace_counts counts;
  uint64_t out_of_order = 0; // reads that were earlier than the one before
  uint64_t placed = 0;       // reads whose line names no region, and whose address has a known place
  std::string placed_by;     // the location databases; empty: none
  uint64_t spread = 0;       // the other reads whose line names no region

  /// Seconds from the first read to the last.
  double span() const {
    return reads.empty() ? 0 : reads.back().t - reads.front().t;
  }
  std::vector<uint64_t> reads_by_item() const;
  void add(const raw_read& read, uint64_t line);
  /// Sorts by time, equal times staying in file order.
  void finish();
};

struct trace_options {
  uint64_t limit = 0;               // lines to read; 0: all
  std::vector<std::string> regions; // those of readers whose lines name none
  reader_places* places = nullptr;  // finds them by address; without it, and for other readers, a hash does
};

/// The part of a reader's name that decides the region where the reader's place is unknown: an IPv4 address's /16, an
/// IPv6 address's /32, another name as it is.
std::string network_of(std::string_view client);

/// Reads a trace as `trace_reader` does. Errors: not_found (no such file), invalid_argument (no usable line; says why
/// for the first few), bad_message (a damaged file).
expected<trace> load_trace(const std::filesystem::path& path, const trace_options& options);

} // namespace gnomon::replay
