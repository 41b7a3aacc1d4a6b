#pragma once

#include "runtime/location/locator.hpp"
#include "runtime/location/round_trip_estimate.hpp"
#include "runtime/replay/places.hpp"
#include "runtime/replay/round_trips.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gnomon::replay {

/// The regions of readers by their addresses, for traces that name no regions. Not thread-safe.
class reader_places {
public:
  /// `databases` are asked in this order. Errors: as `location_database::open`.
  static expected<std::unique_ptr<reader_places>> open(const std::vector<std::string>& databases,
                                                       const std::vector<cluster_region>& cluster,
                                                       const round_trips& distances);
  /// The number of the region with the shortest expected round trip. Nothing when `client` is no address, or one whose
  /// place is unknown.
  std::optional<size_t> region_of(std::string_view client);
  /// The databases, for people.
  std::string describe() const {
    return places_->describe();
  }

private:
  reader_places(std::shared_ptr<locator> places, round_trip_estimate estimate)
      : places_(std::move(places)), estimate_(std::move(estimate)) {}
  std::optional<size_t> find(std::string_view client) const;

  std::shared_ptr<locator> places_;
  round_trip_estimate estimate_;
  std::unordered_map<std::string, std::optional<size_t>> known_; // readers come again
};

} // namespace gnomon::replay
