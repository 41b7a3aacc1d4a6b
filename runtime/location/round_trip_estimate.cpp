#include "runtime/location/round_trip_estimate.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon {

namespace {

constexpr double reach_km = 3000;
constexpr double weight_of_the_map = 0.3;

} // namespace

round_trip_estimate::round_trip_estimate(std::vector<region_site> sites) : sites_(std::move(sites)) {
  for (const auto& site : sites_)
    positions_.push_back(site.at ? std::optional{network_position{*site.at}} : std::nullopt);
  errors_.assign(sites_.size(), std::vector<double>(sites_.size(), std::numeric_limits<double>::quiet_NaN()));
  for (size_t from = 0; from < sites_.size(); ++from)
    for (size_t to = 0; to < sites_.size(); ++to)
      if (from != to && positions_[from] && positions_[to])
        errors_[from][to] = measured(from, to) - network_ms(network_km(*positions_[from], *positions_[to]));
}

/// In either direction: a round trip is the same from both ends.
double round_trip_estimate::measured(size_t from, size_t to) const {
  auto one_way = [this](size_t a, size_t b) {
    const auto& row = sites_[a].measured_ms;
    return b < row.size() && row[b] >= 0 && row[b] < unknown ? row[b] : std::numeric_limits<double>::quiet_NaN();
  };
  const auto there = one_way(from, to), back = one_way(to, from);
  return std::isnan(there) ? back : std::isnan(back) ? there : (there + back) / 2;
}

std::optional<size_t> round_trip_estimate::number_of(std::string_view region) const {
  for (size_t i = 0; i < sites_.size(); ++i)
    if (sites_[i].name == region)
      return i;
  return std::nullopt;
}

bool round_trip_estimate::is_measured(size_t from, size_t to) const {
  return from != to && !std::isnan(measured(from, to));
}

std::vector<double> round_trip_estimate::from_place(place from) const {
  const network_position client{from};
  std::vector<double> weights(sites_.size(), 0);
  for (size_t i = 0; i < sites_.size(); ++i)
    if (positions_[i])
      weights[i] = std::exp(-great_circle_km(from, positions_[i]->at()) / reach_km);
  std::vector<double> estimates(sites_.size(), unknown);
  for (size_t to = 0; to < sites_.size(); ++to) {
    if (!positions_[to])
      continue;
    double sum = 0, total = weight_of_the_map;
    for (size_t near = 0; near < sites_.size(); ++near) {
      if (std::isnan(errors_[near][to]))
        continue;
      sum += weights[near] * errors_[near][to];
      total += weights[near];
    }
    estimates[to] = std::max(0.0, network_ms(network_km(client, *positions_[to])) + sum / total);
  }
  return estimates;
}

std::vector<double> round_trip_estimate::from_region(size_t from) const {
  auto estimates = sites_[from].at ? from_place(*sites_[from].at) : std::vector<double>(sites_.size(), unknown);
  for (size_t to = 0; to < sites_.size(); ++to)
    if (is_measured(from, to))
      estimates[to] = measured(from, to);
  estimates[from] = 0;
  return estimates;
}

} // namespace gnomon
