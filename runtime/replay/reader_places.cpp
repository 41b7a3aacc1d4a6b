#include "runtime/replay/reader_places.hpp"

#include "runtime/location/region_ranking.hpp"

#include <cmath>

namespace gnomon::replay {

expected<std::unique_ptr<reader_places>> reader_places::open(const std::vector<std::string>& databases,
                                                             const std::vector<cluster_region>& cluster,
                                                             const round_trips& distances) {
  location_config config;
  config.databases = databases;
  auto places = locator::make(std::move(config));
  if (!places)
    return places.error();
  std::vector<region_site> sites;
  for (const auto& region : cluster) {
    region_site site{region.name, region.where, {}};
    for (const auto& other : cluster) {
      const auto ms = distances.between(region.name, other.name);
      site.measured_ms.push_back(ms > 0 ? ms : std::nan("")); // 0: not known
    }
    sites.push_back(std::move(site));
  }
  return std::unique_ptr<reader_places>{new reader_places(std::move(*places), round_trip_estimate{std::move(sites)})};
}

std::optional<size_t> reader_places::region_of(std::string_view client) {
  auto [entry, is_new] = known_.try_emplace(std::string{client});
  if (is_new)
    entry->second = find(client);
  return entry->second;
}

std::optional<size_t> reader_places::find(std::string_view client) const {
  const auto address = ip_address::parse(client);
  if (!address || is_local_address(*address))
    return std::nullopt;
  const auto ranked = rank_regions({{}, places_->find(*address).at}, estimate_, {});
  if (ranked.empty() || ranked.front().ms == round_trip_estimate::unknown)
    return std::nullopt;
  return ranked.front().number;
}

} // namespace gnomon::replay
