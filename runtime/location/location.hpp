#pragma once

#include "runtime/base/great_circle.hpp"
#include "runtime/base/ip_address.hpp"

#include <optional>
#include <string>

namespace gnomon {

/// What a location database says of an address.
struct location {
  std::optional<place> at; // nothing when the database has no entry, or one without coordinates and known country
  bool at_country = false; // `at` is the country's centre
  std::string country;     // ISO 3166-1, two letters; may be empty
  std::string city;        // in English; may be empty
  ip_prefix network;       // all its addresses have this answer
};

} // namespace gnomon
