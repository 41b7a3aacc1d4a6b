#define CAF_SUITE synthetic_day
#include "runtime/replay/costs.hpp"
#include "runtime/replay/synthetic.hpp"
#include "tests/virtual_replay/traces.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <limits>

using namespace gnomon;
using namespace gnomon::virtual_replay;

namespace {

const std::string configs = GNOMON_SOURCE "/configs/";

/// The trace of ./dev run, at its distances and prices.
scene synthetic_day(uint64_t seed, uint64_t value_bytes = 0) {
  auto distances = replay::round_trips::load(configs + "five-regions/round-trips.csv");
  auto prices = replay::prices_from(configs + "prices.csv");
  CAF_REQUIRE(distances && prices);
  scene_options options;
  options.value_bytes = value_bytes;
  auto result = make_scene(replay::synthetic_trace({.seed = seed}), *distances, *prices, options);
  CAF_REQUIRE(result);
  return std::move(*result);
}

} // namespace

CAF_TEST(where_placement_matters_the_full_policy_is_cheapest) {
  for (uint64_t seed : {1, 2, 3}) {
    const auto on = synthetic_day(seed);
    const auto full = played(on, "full"), everywhere = played(on, "everywhere"), origin = played(on, "origin");
    CAF_MESSAGE("seed " << seed << ": full " << full.total_usd() << ", everywhere " << everywhere.total_usd()
                        << ", origin " << origin.total_usd() << "; local " << full.local_share << ", copies "
                        << full.copies_per_item);
    CAF_CHECK_LESS(full.total_usd(), everywhere.total_usd());
    CAF_CHECK_LESS(full.total_usd(), origin.total_usd());
    CAF_CHECK_GREATER_OR_EQUAL(full.local_share, 0.93);
    CAF_CHECK_LESS_OR_EQUAL(full.copies_per_item, 3.0);
  }
}

CAF_TEST(where_almost_every_copy_is_read_again_the_full_policy_costs_no_more_than_keeping_them_all) {
  for (uint64_t seed : {1, 2, 3}) {
    const auto on = synthetic_day(seed);
    const auto full = played(on, "full"), kept = played(on, "no-expiry");
    CAF_MESSAGE("seed " << seed << ": " << full.total_usd() / kept.total_usd() << " times as dear");
    CAF_CHECK_LESS_OR_EQUAL(full.total_usd(), 1.03 * kept.total_usd());
  }
}

CAF_TEST(where_values_are_small_the_full_policy_costs_little_more_than_a_copy_everywhere) {
  for (uint64_t seed : {1, 2, 3}) {
    const auto on = synthetic_day(seed, 1024);
    const auto full = played(on, "full"), everywhere = played(on, "everywhere");
    CAF_MESSAGE("seed " << seed << ": " << full.total_usd() / everywhere.total_usd() << " times as dear");
    CAF_CHECK_LESS_OR_EQUAL(full.total_usd(), 1.1 * everywhere.total_usd());
    CAF_CHECK_LESS(everywhere.total_usd(), played(on, "origin").total_usd());
  }
}

CAF_TEST(an_update_is_sent_to_every_copy) {
  scene_options options;
  options.regions = {"a", "b", "c"};
  options.origin = "a";
  options.warm_up = 0;
  options.value_bytes = 1'000'000;
  auto on = scene_of({{0, "x"}, {hour, "x", "c"}, {2 * hour, "x", "c"}}, options);
  on.updates = {{hour / 2, 0}, {hour * 1.5, 0}};
  CAF_CHECK_EQUAL(std::lround(played(on, "origin").moves_per_100_reads * 3 / 100), 3);
  CAF_CHECK_EQUAL(std::lround(played(on, "no-expiry").moves_per_100_reads * 3 / 100), 2 + 1 + 2); // b, then b and c
  CAF_CHECK_EQUAL(std::lround(played(on, "clairvoyant").moves_per_100_reads * 3 / 100), 3);
}

CAF_TEST(more_patience_means_more_copies_and_never_less_cost_than_the_best) {
  const auto on = synthetic_day(1);
  const auto best = play_clairvoyant(on);
  double copies = 0;
  for (double patience : {0.0, 0.01, 0.1, 1.0, 10.0, 100.0}) {
    const auto point = play_clairvoyant(on, patience);
    CAF_CHECK_GREATER_OR_EQUAL(point.copies_per_item, copies);
    CAF_CHECK_GREATER_OR_EQUAL(point.total_usd(), best.total_usd() * (1 - 1e-9));
    copies = point.copies_per_item;
  }
}
