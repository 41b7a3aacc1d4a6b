#define CAF_SUITE network_map
#include "runtime/location/network_map.hpp"

#include "runtime/location/network_tables.hpp"

#include <caf/test/dsl.hpp>

#include <set>
#include <string>

using namespace gnomon;

namespace {

constexpr place frankfurt{50.11, 8.68}, tokyo{35.68, 139.65}, singapore{1.35, 103.82}, cape_town{-33.92, 18.42},
    mumbai{19.08, 72.88}, sao_paulo{-23.55, -46.63}, virginia{39.04, -77.49}, paris{48.86, 2.35}, lagos{6.52, 3.38};

double km(place from, place to) {
  return network_km(network_position{from}, network_position{to});
}

} // namespace

CAF_TEST(every_link_joins_two_hubs_and_is_as_long_as_the_earth_allows) {
  std::set<std::string_view> hubs, linked;
  for (const auto& hub : network_hubs())
    CAF_CHECK(hubs.insert(hub.name).second);
  std::set<std::pair<std::string_view, std::string_view>> pairs;
  for (const auto& link : network_links()) {
    CAF_CHECK(hubs.count(link.from) && hubs.count(link.to) && link.from != link.to);
    CAF_CHECK(pairs.insert(std::minmax(link.from, link.to)).second);
    linked.insert(link.from);
    linked.insert(link.to);
    for (const auto& a : network_hubs())
      for (const auto& b : network_hubs())
        if (a.name == link.from && b.name == link.to && link.km > 0)
          CAF_CHECK(link.km >= great_circle_km(a.at, b.at));
  }
  CAF_CHECK(hubs == linked);
}

CAF_TEST(all_places_on_earth_are_joined_and_no_way_is_shorter_than_the_great_circle) {
  for (int latitude = -90; latitude <= 90; latitude += 30)
    for (int longitude = -180; longitude <= 180; longitude += 45)
      for (auto to : {frankfurt, tokyo, sao_paulo}) {
        const place from{static_cast<double>(latitude), static_cast<double>(longitude)};
        CAF_CHECK(km(from, to) < 60'000);
        CAF_CHECK(km(from, to) >= great_circle_km(from, to) - 1e-6);
        CAF_CHECK_EQUAL(km(from, to), km(to, from));
      }
  CAF_CHECK_EQUAL(km(paris, paris), 0);
}

CAF_TEST(ways_go_where_cables_are) {
  CAF_CHECK(km(frankfurt, tokyo) > km(frankfurt, singapore));    // by Suez, not through Siberia
  CAF_CHECK(km(cape_town, mumbai) > km(cape_town, frankfurt));   // by Europe
  CAF_CHECK(km(lagos, sao_paulo) > km(lagos, frankfurt));        // not across the South Atlantic
  CAF_CHECK(km(cape_town, sao_paulo) > km(cape_town, virginia)); // nor here
  CAF_CHECK(km(paris, frankfurt) < 1000 && km(paris, frankfurt) > 470);
}
