#include "actors/node/placement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <tuple>

namespace gnomon {

std::vector<std::string> rank_candidates(std::vector<placement_candidate> candidates, const policy& rules) {
  std::erase_if(candidates, [&](const placement_candidate& c) { return !c.live || !rules.allows(c.region); });
  auto cost = [](const placement_candidate& c) {
    return c.rtt_ms < 0 ? std::numeric_limits<double>::infinity() : c.rtt_ms;
  };
  std::sort(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
    return std::make_tuple(cost(a), a.node) < std::make_tuple(cost(b), b.node);
  });
  std::vector<std::string> names;
  for (auto& c : candidates)
    names.push_back(std::move(c.node));
  return names;
}

double great_circle_km(double lat1, double lon1, double lat2, double lon2) {
  constexpr auto earth_radius_km = 6371.0088;
  auto rad = [](double degrees) { return degrees * std::numbers::pi / 180; };
  auto half = [](double angle) { return std::pow(std::sin(angle / 2), 2); };
  auto h = half(rad(lat2 - lat1)) + std::cos(rad(lat1)) * std::cos(rad(lat2)) * half(rad(lon2 - lon1));
  return 2 * earth_radius_km * std::asin(std::min(1.0, std::sqrt(h)));
}

} // namespace gnomon
