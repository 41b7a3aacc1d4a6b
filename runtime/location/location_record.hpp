#pragma once

#include "runtime/location/location.hpp"

#include <string>

#include <maxminddb.h>

namespace gnomon {

/// One record of a location database, in either shape. Inside `location_database` only.
class location_record {
public:
  explicit location_record(MMDB_entry_s entry) : entry_(entry) {}

  /// What the record says, without a network. A field that is absent, of another type or out of range counts as absent.
  location read();
  /// False when a field cannot be read because the file is damaged.
  bool is_whole();

private:
  using path = std::initializer_list<const char*>;

  bool get(path where, MMDB_entry_data_s& data);
  std::string text(std::initializer_list<path> places);
  std::optional<double> number(std::initializer_list<path> places);
  std::string country();
  std::optional<place> coordinates();

  MMDB_entry_s entry_;
  bool damaged_ = false;
};

} // namespace gnomon
