#pragma once

#include "runtime/base/error.hpp"
#include "runtime/location/location.hpp"

#include <memory>
#include <string>

struct MMDB_s;

namespace gnomon {

/// One file in the MaxMind DB format, version 2 (maxmind.github.io/MaxMind-DB), read by libmaxminddb. Takes nested
/// records (`location.latitude`, `country.iso_code`, as from MaxMind) and flat ones (`latitude`, `country_code`, as in
/// the npm packages @ip-location-db/*-mmdb). Immutable, thread-safe. Works on a copy in memory, so that what happens to
/// the file later does not matter.
class location_database {
public:
  /// Reads and checks the whole file: every node of its search tree, and the fields of every record. Errors: not_found,
  /// too_large above 2 GiB, bad_message for a damaged file or one of another kind, store_failed when there is no
  /// memory.
  static expected<std::shared_ptr<const location_database>> open(const std::string& file);
  ~location_database();
  location_database(const location_database&) = delete;
  location_database& operator=(const location_database&) = delete;

  /// The entry of `address`, or an empty one with the network that has none. A country without coordinates has its
  /// centre. Takes one microsecond or two.
  location find(const ip_address& address) const;

  /// Such as "DBIP-City of 2026-06-01 (IPv4, 63 MiB)".
  const std::string& describe() const {
    return description_;
  }

private:
  explicit location_database(std::unique_ptr<MMDB_s> opened);

  std::unique_ptr<MMDB_s> opened_;
  std::string description_;
};

} // namespace gnomon
