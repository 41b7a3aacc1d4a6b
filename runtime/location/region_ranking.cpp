#include "runtime/location/region_ranking.hpp"

#include <algorithm>
#include <tuple>

namespace gnomon {

std::vector<ranked_region> rank_regions(const client_place& client, const round_trip_estimate& estimate,
                                        std::span<const region_condition> conditions, const load_rule& rule) {
  const auto& sites = estimate.sites();
  const auto home = estimate.number_of(client.region).value_or(sites.size());
  const auto in_region = home < sites.size();
  std::vector<double> ms(sites.size(), round_trip_estimate::unknown);
  if (in_region)
    ms = estimate.from_region(home);
  else if (client.at)
    ms = estimate.from_place(*client.at);
  std::vector<ranked_region> ranked;
  for (size_t i = 0; i < sites.size(); ++i) {
    const auto condition = i < conditions.size() ? conditions[i] : region_condition{};
    if (condition.live)
      ranked.push_back({i, ms[i], in_region && estimate.is_measured(home, i), rule.passes_over(condition.load)});
  }
  auto key = [&](const ranked_region& one) {
    return std::tuple<double, const std::string&>{one.ms + (one.overloaded ? rule.detour_ms : 0),
                                                  sites[one.number].name};
  };
  std::sort(ranked.begin(), ranked.end(),
            [&](const ranked_region& a, const ranked_region& b) { return key(a) < key(b); });
  return ranked;
}

} // namespace gnomon
