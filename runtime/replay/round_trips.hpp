#pragma once

#include "runtime/base/error.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <utility>

namespace gnomon::replay {

/// Round trips between pairs of regions in milliseconds, as measured from the first one. Where only the other direction
/// was measured, that figure holds.
class round_trips {
public:
  /// Reads lines `from,to,round_trip_ms`. Skips empty lines, lines that start with '#', and a header, whose first names
  /// are from and to. Errors: not_found (no such file), bad_config with the line.
  static expected<round_trips> load(const std::filesystem::path& file);

  void set(const std::string& from, const std::string& to, double ms);
  /// 0 within one region and for unknown pairs.
  double between(const std::string& from, const std::string& to) const;

private:
  std::map<std::pair<std::string, std::string>, double> ms_;
};

} // namespace gnomon::replay
