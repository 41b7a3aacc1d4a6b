#pragma once

#include "runtime/location/network_map.hpp"

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gnomon {

/// A region of the cluster, and the measured round trips from it to all regions.
struct region_site {
  std::string name;
  std::optional<place> at;
  std::vector<double> measured_ms; // by number of the other region; NaN or missing: not measured
};

/// Expected round trips between clients and regions. The map of the network gives a first figure. It is then corrected
/// by what the regions have measured between each other: when packets from Mumbai to Frankfurt take 30 ms more than the
/// map says, then those from near Mumbai probably do, too. The correction is the mean of the regions' own errors
/// towards that region, weighted with exp(-distance to the client / 3000 km), and with a weight of 0.3 for no error (a
/// kernel smoother, Nadaraya 1964, as geo-informed variants of GNP and Vivaldi use it). Nothing measured for the client
/// itself is used. Immutable, thread-safe.
class round_trip_estimate {
public:
  round_trip_estimate() = default;
  explicit round_trip_estimate(std::vector<region_site> sites);

  const std::vector<region_site>& sites() const {
    return sites_;
  }
  /// The number of the region of that name.
  std::optional<size_t> number_of(std::string_view region) const;

  static constexpr double unknown = std::numeric_limits<double>::infinity();

  /// Milliseconds from a client at `from` to each region; `unknown` for regions without a place.
  std::vector<double> from_place(place from) const;
  /// The same for a client in a region: 0 to itself, measured where there is a measurement, estimated elsewhere.
  std::vector<double> from_region(size_t from) const;
  /// True when that figure is a measurement.
  bool is_measured(size_t from, size_t to) const;

private:
  double measured(size_t from, size_t to) const;

  std::vector<region_site> sites_;
  std::vector<std::optional<network_position>> positions_;
  std::vector<std::vector<double>> errors_; // measured less the map's figure; NaN where one is missing
};

} // namespace gnomon
