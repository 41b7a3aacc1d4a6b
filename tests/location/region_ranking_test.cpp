#define CAF_SUITE region_ranking
#include "runtime/location/region_ranking.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <limits>
#include <random>

using namespace gnomon;

namespace {

constexpr auto none = std::numeric_limits<double>::quiet_NaN();
constexpr place paris{48.86, 2.35};

/// The regions of configs/five-regions, with the round trips of its round-trips.csv.
round_trip_estimate five(bool measured = true) {
  std::vector<region_site> sites{{"ap-northeast-1", place{35.6762, 139.6503}, {none, 133.8, 227.4, 257.7, 149.3}},
                                 {"ap-south-1", place{19.076, 72.8777}, {none, none, 129.0, 301.4, 191.0}},
                                 {"eu-central-1", place{50.1109, 8.6821}, {none, none, none, 204.4, 92.8}},
                                 {"sa-east-1", place{-23.5558, -46.6396}, {none, none, none, none, 115.3}},
                                 {"us-east-1", place{39.0458, -77.4874}, {}}};
  for (auto& site : sites)
    if (!measured)
      site.measured_ms.clear();
  return round_trip_estimate{std::move(sites)};
}

std::string order(const std::vector<ranked_region>& ranked, const round_trip_estimate& estimate) {
  std::string text;
  for (const auto& entry : ranked)
    text += (text.empty() ? "" : " ") + estimate.sites()[entry.number].name;
  return text;
}

std::string order(const client_place& client, const std::vector<region_condition>& conditions = {}) {
  const auto estimate = five();
  return order(rank_regions(client, estimate, conditions), estimate);
}

} // namespace

CAF_TEST(a_client_in_a_region_gets_measured_round_trips) {
  CAF_CHECK_EQUAL(order({"eu-central-1", {}}), "eu-central-1 us-east-1 ap-south-1 sa-east-1 ap-northeast-1");
  const auto estimate = five();
  const auto ranked = rank_regions({"sa-east-1", paris}, estimate, {}); // the region counts, not the place
  CAF_CHECK_EQUAL(order(ranked, estimate), "sa-east-1 us-east-1 eu-central-1 ap-northeast-1 ap-south-1");
  CAF_CHECK(ranked[1].measured && ranked[1].ms == 115.3 && !ranked[0].measured);
  CAF_CHECK_EQUAL(ranked[0].ms, 0.0);
}

CAF_TEST(a_client_elsewhere_gets_estimates) {
  CAF_CHECK_EQUAL(order({"", paris}), "eu-central-1 us-east-1 ap-south-1 sa-east-1 ap-northeast-1");
  // By great circle Mumbai is nearer to Cape Town than Frankfurt is; the packets go by Europe.
  CAF_CHECK_EQUAL(order({"", place{-33.92, 18.42}}).substr(0, 12), "eu-central-1");
  CAF_CHECK_EQUAL(order({"elsewhere", place{1.35, 103.82}}).substr(0, 10), "ap-south-1"); // no region of that name
}

CAF_TEST(estimates_follow_what_regions_measure) {
  auto sites = five().sites();
  const auto before = five().from_place({19.5, 73})[2];
  sites[1].measured_ms[2] = 400; // Mumbai cannot reach Frankfurt well
  const auto after = round_trip_estimate{sites}.from_place({19.5, 73})[2];
  CAF_CHECK(after > before + 100);
  CAF_CHECK(std::abs(round_trip_estimate{sites}.from_place({52.5, 13.4})[4] - five().from_place({52.5, 13.4})[4]) < 30);
}

CAF_TEST(only_live_regions_are_ranked) {
  std::vector<region_condition> conditions(5);
  conditions[2].live = false;
  CAF_CHECK_EQUAL(order({"", paris}, conditions), "us-east-1 ap-south-1 sa-east-1 ap-northeast-1");
  CAF_CHECK_EQUAL(order({"", paris}, std::vector<region_condition>(5, {.live = false})), "");
  CAF_CHECK(rank_regions({"", paris}, round_trip_estimate{}, {}).empty());
}

CAF_TEST(an_overloaded_region_falls_behind_those_that_are_little_further) {
  round_trip_estimate estimate{{{"a", {}, {none, 50, 79, 81}}, {"b", {}, {}}, {"c", {}, {}}, {"d", {}, {}}}};
  std::vector<region_condition> conditions(4);
  conditions[0].live = false;
  auto ranked = [&](double load) {
    conditions[1].load = load;
    return order(rank_regions({"a", {}}, estimate, conditions), estimate);
  };
  CAF_CHECK_EQUAL(ranked(0.79), "b c d");
  CAF_CHECK_EQUAL(ranked(0.8), "c b d");
  CAF_CHECK_EQUAL(order(rank_regions({"a", {}}, estimate, conditions, {.detour_ms = 20}), estimate), "b c d");
  CAF_CHECK_EQUAL(order(rank_regions({"a", {}}, estimate, conditions, {.detour_ms = 0}), estimate), "b c d");
  CAF_CHECK_EQUAL(ranked(none), "b c d");
  conditions[2].load = conditions[3].load = 1;
  CAF_CHECK_EQUAL(ranked(1), "b c d"); // all alike
  CAF_CHECK(rank_regions({"a", {}}, estimate, conditions)[0].overloaded);
}

CAF_TEST(without_a_place_the_order_is_that_of_names) {
  CAF_CHECK_EQUAL(order({}), "ap-northeast-1 ap-south-1 eu-central-1 sa-east-1 us-east-1");
  round_trip_estimate estimate{{{"z", paris, {}}, {"b", {}, {}}, {"a", {}, {}}}};
  const auto ranked = rank_regions({"", paris}, estimate, {});
  CAF_CHECK_EQUAL(order(ranked, estimate), "z a b");
  CAF_CHECK(ranked[1].ms == round_trip_estimate::unknown);
}

CAF_TEST(nonsense_measurements_are_not_used) {
  const auto infinite = std::numeric_limits<double>::infinity();
  std::vector<region_site> sites{{"a", paris, {0, -5, infinite, 1e300}},
                                 {"b", place{52, 0}, {}},
                                 {"c", place{50, 8}, {1, 2, 3, 4, 5, 6}},
                                 {"d", place{40, -3}, {}}};
  const round_trip_estimate estimate{sites};
  CAF_CHECK(!estimate.is_measured(0, 1) && estimate.is_measured(0, 2));
  for (auto ms : estimate.from_place({48, 3}))
    CAF_CHECK(!std::isnan(ms));
}

CAF_TEST(equal_input_gives_equal_order_whatever_the_order_of_regions) {
  std::mt19937 random{9};
  for (int round = 0; round < 200; ++round) {
    auto sites = five(false).sites();
    std::shuffle(sites.begin(), sites.end(), random);
    const round_trip_estimate shuffled{sites};
    const place client{static_cast<double>(random() % 180) - 90, static_cast<double>(random() % 360) - 180};
    CAF_REQUIRE_EQUAL(order(rank_regions({"", client}, shuffled, {}), shuffled),
                      order(rank_regions({"", client}, five(false), {}), five(false)));
  }
}
