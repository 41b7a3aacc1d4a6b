#include "runtime/location/network_map.hpp"

#include "runtime/location/network_tables.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

namespace gnomon {

namespace {

constexpr double land_detour = 1.5;   // cables follow roads and railways
constexpr double sea_detour = 1.06;   // and on the ground of the sea they lie straight
constexpr double access_detour = 1.6; // from a place to where networks meet
constexpr double straight_within_km = 800;
constexpr double unreachable = 1e9;

/// The shortest ways between all hubs (Floyd and Warshall).
class hub_distances {
public:
  hub_distances() : hubs_(network_hubs()), km_(hubs_.size() * hubs_.size(), unreachable) {
    std::map<std::string_view, size_t> numbers;
    for (size_t i = 0; i < hubs_.size(); ++i) {
      numbers.emplace(hubs_[i].name, i);
      at(i, i) = 0;
    }
    for (const auto& link : network_links()) {
      const auto from = numbers.at(link.from), to = numbers.at(link.to);
      at(from, to) = at(to, from) = length(link, hubs_[from].at, hubs_[to].at);
    }
    for (size_t via = 0; via < hubs_.size(); ++via)
      for (size_t from = 0; from < hubs_.size(); ++from)
        for (size_t to = 0; to < hubs_.size(); ++to)
          at(from, to) = std::min(at(from, to), at(from, via) + at(via, to));
  }
  double& at(size_t from, size_t to) {
    return km_[from * hubs_.size() + to];
  }
  double operator()(size_t from, size_t to) const {
    return km_[from * hubs_.size() + to];
  }

private:
  static double length(const network_link& link, place from, place to) {
    if (link.km > 0)
      return link.km;
    return great_circle_km(from, to) * (link.how == way::land ? land_detour : sea_detour);
  }
  std::span<const network_hub> hubs_;
  std::vector<double> km_;
};

const hub_distances& between_hubs() {
  static const hub_distances distances;
  return distances;
}

} // namespace

network_position::network_position(place at) : at_(at) {
  nearest_.fill({0, std::numeric_limits<double>::infinity()});
  const auto hubs = network_hubs();
  for (size_t i = 0; i < hubs.size(); ++i) {
    if (hubs[i].transit)
      continue;
    const access one{i, great_circle_km(at, hubs[i].at) * access_detour};
    if (one.km < nearest_[1].km)
      nearest_[1] = one;
    if (nearest_[1].km < nearest_[0].km)
      std::swap(nearest_[0], nearest_[1]);
  }
}

double network_km(const network_position& from, const network_position& to) {
  const auto straight = great_circle_km(from.at_, to.at_);
  auto shortest = straight < straight_within_km ? straight * access_detour : unreachable;
  const auto& hubs = between_hubs();
  for (const auto& a : from.nearest_)
    for (const auto& b : to.nearest_)
      shortest = std::min(shortest, a.km + hubs(a.hub, b.hub) + b.km);
  return shortest;
}

double network_ms(double km) {
  return 15 + 0.0115 * km;
}

} // namespace gnomon
