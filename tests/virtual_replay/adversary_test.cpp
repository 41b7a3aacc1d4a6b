#define CAF_SUITE adversary
#include "tests/virtual_replay/traces.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>

using namespace gnomon;
using namespace gnomon::virtual_replay;

namespace {

constexpr double bound = 2.2; // times the best fixed policy

scene_options small_items() {
  scene_options options;
  options.regions = {"a", "b", "c"};
  options.origin = "a";
  options.value_bytes = 10'240;
  options.warm_up = 0.3;
  return options;
}

/// `made` at prices at which a copy breaks even after about `days`.
scene priced(const std::vector<made_read>& made, double storage_times) {
  return scene_of(made, small_items(), learning::price_table::flat({}).with_storage_times(storage_times));
}

/// Lifetimes alone are compared with other lifetimes, copies ahead also with full replication.
void stays_within_the_bound(const std::string& name, const std::vector<made_read>& made) {
  for (double storage_times : {1.0, 100.0, 3000.0}) {
    const auto on = priced(made, storage_times);
    double best = 1e300;
    for (auto fixed : {"origin", "ttl-1h", "ttl-24h", "ttl-30d", "break-even", "no-expiry"})
      best = std::min(best, played(on, fixed).total_usd());
    CAF_CHECK_LESS(played(on, "adaptive").total_usd(), bound * best);
    best = std::min(best, played(on, "everywhere").total_usd());
    const double ratio = played(on, "full").total_usd() / best;
    CAF_MESSAGE(name << " with storage times " << storage_times << ": " << ratio);
    CAF_CHECK_LESS(ratio, bound);
  }
}

} // namespace

CAF_TEST(items_that_are_read_once_everywhere_cost_little_more_than_need_be) {
  std::vector<made_read> reads;
  for (int k = 0; k < 4000; ++k)
    for (auto region : {"a", "b", "c"})
      reads.push_back({k * 300.0 + (region[0] - 'a') * 60, "x/" + std::to_string(k), region});
  stays_within_the_bound("once everywhere", reads);
}

CAF_TEST(readers_that_alternate_between_two_far_regions_do_not_make_copies_go_to_and_fro) {
  std::vector<made_read> reads;
  for (int k = 0; k < 12'000; ++k)
    reads.push_back({k * 600.0, "x/" + std::to_string(k / 2 % 50), k % 2 == 0 ? "b" : "c"});
  stays_within_the_bound("alternating", reads);
}

CAF_TEST(a_burst_that_never_returns_is_forgotten) {
  std::vector<made_read> reads;
  for (int burst = 0; burst < 300; ++burst)
    for (int k = 0; k < 30; ++k)
      reads.push_back({burst * 2 * hour + k * 20, "x/" + std::to_string(burst), k % 3 == 2 ? "c" : "b"});
  reads.push_back({600 * hour + 30 * day, "x/last", "a"});
  stays_within_the_bound("bursts", reads);
}

CAF_TEST(readers_that_teach_to_return_and_then_do_not_cost_a_bounded_factor) {
  std::vector<made_read> reads;
  for (int k = 0; k < 6000; ++k)
    reads.push_back({k * 600.0, "x/" + std::to_string(k % 100), "b"});
  for (int k = 0; k < 6000; ++k)
    reads.push_back({6000 * 600.0 + k * 600.0, "y/" + std::to_string(k), "b"});
  stays_within_the_bound("taught", reads);
}
