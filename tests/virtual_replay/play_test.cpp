#define CAF_SUITE play
#include "runtime/virtual_replay/options.hpp"
#include "runtime/virtual_replay/report.hpp"
#include "tests/virtual_replay/traces.hpp"

#include <caf/test/dsl.hpp>

#include <nlohmann/json.hpp>

#include <cmath>

using namespace gnomon;
using namespace gnomon::virtual_replay;

namespace {

bool near(double x, double y) {
  return std::abs(x - y) <= 1e-9 * std::max(1.0, std::abs(y));
}

scene_options at_a() {
  scene_options options;
  options.regions = {"a", "b", "c"};
  options.origin = "a";
  options.warm_up = 0;
  options.value_bytes = 1'000'000;
  return options;
}

/// One item, read in b after 0, 1 and 30 hours, and in c after 31.
scene few_reads() {
  return scene_of({{0, "x"}, {hour, "x"}, {30 * hour, "x"}, {31 * hour, "x", "c"}}, at_a());
}

} // namespace

CAF_TEST(the_origin_alone_answers_every_read_from_afar) {
  const auto figures = played(few_reads(), "origin");
  CAF_CHECK_EQUAL(figures.reads, 4u);
  CAF_CHECK_EQUAL(figures.local_share, 0);
  CAF_CHECK(near(figures.mean_ms, (3 * 100 + 200) / 4.0));
  CAF_CHECK(near(figures.moves_per_100_reads, 100));
  CAF_CHECK(near(figures.copies_per_item, 1));
  CAF_CHECK(near(figures.moved_usd, 4 * 0.02 * 1e-3));
  CAF_CHECK(near(figures.latency_usd, 500e-8));
  CAF_CHECK(near(figures.stored_usd, 1e-3 * 0.023 * 31 * hour / learning::seconds_per_month));
}

CAF_TEST(a_copy_lives_on_with_each_read_and_the_nearest_one_answers) {
  const auto figures = played(few_reads(), "ttl-24h");
  CAF_CHECK(near(figures.local_share, 0.25));
  CAF_CHECK(near(figures.mean_ms, (100 + 1 + 100 + 150) / 4.0)); // c asks b, which is nearer than a
  CAF_CHECK(near(figures.copies_per_item, 1 + 26.0 / 31));       // b from 0 to 25 h, and from 30 to 31
}

CAF_TEST(everywhere_leaves_the_first_read_alone_remote) {
  const auto figures = played(few_reads(), "everywhere");
  CAF_CHECK(near(figures.local_share, 0.75));
  CAF_CHECK(near(figures.copies_per_item, 3));
  CAF_CHECK(near(figures.prefetched_per_100_reads, 25));
  CAF_CHECK(near(figures.prefetched_read_share, 1));
  CAF_CHECK(near(ceiling_local_share(few_reads()), 0.75));
}

CAF_TEST(the_clairvoyant_holds_what_is_cheaper_to_hold) {
  auto figures = played(few_reads(), "clairvoyant");
  CAF_CHECK(near(figures.local_share, 1));
  CAF_CHECK(near(figures.moves_per_100_reads, 50)); // b once and c once
  CAF_CHECK_LESS(std::abs(figures.copies_per_item - (1 + 30.0 / 31)), 1e-6);
  const auto dear = scene_of({{0, "x"}, {hour, "x"}, {30 * hour, "x"}, {31 * hour, "x", "c"}}, at_a(),
                             learning::price_table::flat({.storage_usd_per_gb_month = 1}));
  CAF_CHECK(near(played(dear, "clairvoyant").moves_per_100_reads, 75)); // 29 hours are not held
}

CAF_TEST(what_happens_in_the_warm_up_does_not_count) {
  auto options = at_a();
  options.warm_up = 0.5;
  const auto on = scene_of({{0, "x"}, {hour, "x"}, {2 * hour, "x"}, {4 * hour, "x"}}, options);
  const auto figures = played(on, "no-expiry");
  CAF_CHECK_EQUAL(figures.reads, 2u);
  CAF_CHECK(near(figures.local_share, 1));
  CAF_CHECK(near(figures.copies_per_item, 2));
  CAF_CHECK_EQUAL(figures.moved_usd, 0);
}

CAF_TEST(durable_copies_stay_in_the_regions_nearest_to_the_origin) {
  auto options = at_a();
  options.min_copies = 2;
  options.factor = 3;
  const auto on = scene_of({{0, "x"}, {hour, "x"}, {30 * hour, "x"}, {31 * hour, "x", "c"}}, options);
  CAF_CHECK_EQUAL(on.durable.size(), 2u);
  CAF_CHECK_EQUAL(on.first_copies.size(), 1u);
  CAF_CHECK(near(played(on, "origin").local_share, 1));
}

CAF_TEST(regions_that_the_cluster_lacks_are_served_by_the_nearest) {
  replay::trace trace;
  trace.add({0, "u", "eu-west-1", "x"}, 1);
  trace.add({9, "u", "us-east-2", "x"}, 2);
  trace.finish();
  scene_options options;
  options.regions = {"eu-central-1", "us-east-1"};
  options.warm_up = 0;
  auto on = make_scene(trace, {}, {}, options);
  CAF_REQUIRE(on);
  CAF_CHECK_EQUAL(on->reads[0].region, 0);
  CAF_CHECK_EQUAL(on->reads[1].region, 1);
  CAF_CHECK_GREATER(on->regions[0].round_trip_ms[1], 60); // by where the regions are
  CAF_CHECK_LESS(on->regions[0].round_trip_ms[1], 150);
}

CAF_TEST(the_same_trace_gives_the_same_figures_again) {
  std::vector<made_read> reads;
  for (int k = 0; k < 3000; ++k)
    reads.push_back({k * 60.0, "x/" + std::to_string(k * k % 97), k % 3 == 0 ? "c" : "b", std::to_string(k % 11)});
  auto options = at_a();
  options.warm_up = 0.5;
  const auto on = scene_of(reads, options);
  const auto first = played(on, "full"), second = played(on, "full");
  CAF_CHECK_EQUAL(first.total_usd(), second.total_usd());
  CAF_CHECK_EQUAL(first.moves_per_100_reads, second.moves_per_100_reads);
}

CAF_TEST(the_figures_have_the_names_that_they_are_documented_with) {
  const auto on = few_reads();
  const auto best = played(on, "clairvoyant");
  const auto json = to_json({played(on, "origin"), best}, best, {"trace", {}, ceiling_local_share(on)});
  CAF_REQUIRE_EQUAL(json.size(), 2u);
  for (auto key : {"policy", "local_share", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "moves_per_100_reads",
                   "prefetched_per_100_reads", "prefetched_read_share", "copies_per_item", "cost"})
    CAF_CHECK(json[0].contains(key));
  for (auto key : {"moved", "stored", "latency", "total", "over_clairvoyant"})
    CAF_CHECK(json[0]["cost"].contains(key));
  CAF_CHECK(near(json[1]["cost"]["over_clairvoyant"].get<double>(), 1));
  const auto page = to_page(on, {played(on, "origin")}, best, {"trace", {}, 0.75});
  CAF_CHECK(page.find("clairvoyant") != std::string::npos);
  CAF_CHECK(page.find("at most 75.00%") != std::string::npos);
}

CAF_TEST(options_are_read_and_wrong_ones_are_named) {
  auto good = parse_options({"t.csv", "--policy", "ttl-24h,full", "--policy=origin", "--regions", "a,b", "--json"});
  CAF_REQUIRE(good);
  CAF_CHECK_EQUAL(good->policies.size(), 3u);
  CAF_CHECK_EQUAL(good->scene.regions.size(), 2u);
  CAF_CHECK(good->json);
  CAF_CHECK(parse_options({"--report", "page.html"})->trace.empty()); // the synthetic day
  for (const auto& wrong : std::vector<std::vector<std::string>>{
           {"a", "b"}, {"a", "--frob"}, {"a", "--warm-up", "1"}, {"a", "--limit", "x"}, {"a", "--policy"}})
    CAF_CHECK(code_of(parse_options(wrong).error()) == ec::invalid_argument);
  const auto on = few_reads();
  CAF_CHECK(sentence_of(make_policy("ttl-", on).error()).find("break-even") != std::string::npos);
}
