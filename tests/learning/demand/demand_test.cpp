#define CAF_SUITE demand
#include "learning/evaluation/demand_evaluation.hpp"
#include "learning/history/access_history.hpp"

#include <caf/test/dsl.hpp>

#include <filesystem>
#include <fstream>
#include <random>
#include <unistd.h>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

constexpr uint32_t begin = 1'500'000'000;

// Every ten minutes an item is born in region 0. Items of type "hot" are read in regions 1 and 2 within the hours that
// follow, "cold" ones nowhere else.
struct made_read {
  std::string item;
  size_t region;
  uint32_t time;
};

std::vector<made_read> made_reads(size_t items) {
  std::mt19937_64 random{1};
  std::vector<made_read> reads;
  for (uint32_t k = 0; k < items; ++k) {
    const bool hot = random() % 3 == 0;
    auto name = std::string{hot ? "hot/" : "cold/"} + std::to_string(k);
    const uint32_t born = begin + k * 600;
    for (uint32_t j = 0; j < 3; ++j)
      reads.push_back({name, 0, born + j * 100});
    for (size_t region : {1, 2})
      if (hot)
        for (int j = 0; j < 3; ++j)
          reads.push_back({name, region, born + 1000 + static_cast<uint32_t>(random() % 20'000)});
  }
  std::stable_sort(reads.begin(), reads.end(), [](auto& a, auto& b) { return a.time < b.time; });
  return reads;
}

access_log made_log(size_t items) {
  log_builder builder;
  for (auto& r : made_reads(items))
    builder.add("u", r.item, std::to_string(r.region), r.time);
  return builder.take(true);
}

demand_training_config quick_training() {
  demand_training_config config;
  config.samples = 6000;
  config.network.epochs = 4;
  config.network.rate = 0.01f;
  config.trees.trees = 50;
  config.trees.depth = 4;
  return config;
}

} // namespace

CAF_TEST(counts_fade_by_their_half_life) {
  fading_count count;
  count.add(1000, 100);
  count.add(1000, 100);
  CAF_CHECK(std::abs(count.at(1100, 100) - 1) < 1e-5);
  count.add(1200, 100);
  CAF_CHECK(std::abs(count.at(1200, 100) - 1.5f) < 1e-5);
  CAF_CHECK_EQUAL(count.at(900, 100), 1.5f); // clocks may run back
}

CAF_TEST(decisions_come_with_every_early_read_then_with_growth_or_time) {
  demand_counters counts;
  size_t decisions = 0;
  for (uint32_t k = 0; k < 100; ++k) {
    counts.read("a", 0, begin + k);
    decisions += counts.due("a", begin + k);
  }
  CAF_CHECK_GREATER(decisions, 24u);
  CAF_CHECK_LESS(decisions, 40u);
  CAF_CHECK(counts.due("a", begin + 1000));
  CAF_CHECK(!counts.due("a", begin + 1001));
  CAF_CHECK(!counts.due("unknown", begin));
}

CAF_TEST(the_items_longest_unread_make_room) {
  demand_config config;
  config.max_items = 50;
  demand_counters counts{config};
  for (uint32_t k = 0; k < 500; ++k)
    counts.read("i" + std::to_string(k), 0, begin + k);
  CAF_CHECK_EQUAL(counts.items(), 50u);
  CAF_CHECK_EQUAL(counts.idle("i499", 0, begin + 600), 101u);
  CAF_CHECK_EQUAL(counts.idle("i3", 0, begin + 600), UINT32_MAX);
}

CAF_TEST(a_write_announces_an_item_before_any_read) {
  demand_model model;
  std::vector<demand_estimate> estimates;
  model.estimate("new", 3, begin, estimates);
  CAF_CHECK_EQUAL(estimates[1][0], 0.0f);
  model.written("new", 0, begin);
  model.estimate("new", 3, begin, estimates);
  CAF_CHECK_GREATER(estimates[1][day_horizon], 0.0f);
}

CAF_TEST(a_trained_model_tells_where_an_item_will_be_read_before_its_first_read_there) {
  auto parts = train_demand(made_log(1500), quick_training());
  CAF_REQUIRE(parts);
  auto file = to_file(*parts);
  auto loaded = demand_from_file(file);
  CAF_REQUIRE(loaded);
  demand_model model;
  for (auto& r : made_reads(1500))
    model.read(r.item, r.region, r.time);
  model.adopt(std::move(*loaded));
  const uint32_t now = begin + 1500 * 600;
  model.read("hot/1500", 0, now);
  model.read("cold/1501", 0, now);
  std::vector<demand_estimate> hot, cold;
  model.estimate("hot/1500", 3, now, hot);
  model.estimate("cold/1501", 3, now, cold);
  CAF_CHECK_GREATER(hot[1][day_horizon], 0.9f);
  CAF_CHECK_LESS(cold[1][day_horizon], 0.5f);
  for (size_t h = 1; h < demand_horizons.size(); ++h)
    CAF_CHECK(hot[1][h] >= hot[1][h - 1]);
  file.back() = static_cast<char>(file.back() ^ 1);
  CAF_CHECK_EQUAL(code_of(demand_from_file(file).error()), ec::bad_message);
}

CAF_TEST(an_evaluation_shows_what_prefetching_changes) {
  auto path = std::filesystem::temp_directory_path() / ("gnomon-demand-" + std::to_string(getpid()) + ".csv");
  {
    std::ofstream out{path};
    out << "t,user,region,item\n";
    for (auto& r : made_reads(1500))
      out << r.time << ",u," << r.region << ',' << r.item << '\n';
  }
  demand_evaluation_config config;
  config.training = quick_training();
  config.origin = "0";
  auto result = evaluate_demand(path, 0.6, config);
  std::filesystem::remove(path);
  CAF_REQUIRE(result);
  CAF_REQUIRE_EQUAL(result->guided.size(), 5u);
  const auto& middle = result->guided[2];
  CAF_CHECK_GREATER(middle.placement.local_percent, result->on_demand.local_percent + 5);
  CAF_CHECK(middle.placement.local_percent <= 100.0);
  CAF_CHECK_GREATER(middle.precision, 0.6);
  CAF_CHECK_GREATER(result->steered.precision, 1 - config.waste);
  CAF_CHECK_GREATER(result->steered.coverage, 0.2);
  CAF_CHECK(result->guided[0].coverage >= middle.coverage && middle.coverage >= result->guided[4].coverage);
  CAF_CHECK_GREATER(result->estimates, 100u);
  CAF_CHECK(!to_json(*result).empty());
}

CAF_TEST(the_kind_that_did_better_on_decisions_held_back_serves) {
  auto parts = train_demand(made_log(1500), quick_training());
  CAF_REQUIRE(parts);
  const auto& contest = parts->contest;
  CAF_CHECK_GREATER(contest.network.decisions, 100u);
  CAF_CHECK_EQUAL(contest.network.decisions, contest.trees.decisions);
  const bool trees = contest.trees.loss < contest.network.loss;
  CAF_CHECK_EQUAL(parts->kind(), trees ? demand_kind::trees : demand_kind::network);
  CAF_CHECK_EQUAL(static_cast<bool>(parts->network), !trees);
  CAF_CHECK_GREATER(parts->measured.decisions, 100u);
}

CAF_TEST(a_kind_that_has_learned_nothing_loses) {
  auto config = quick_training();
  config.network.rate = 0;
  auto grown = train_demand(made_log(800), config);
  CAF_REQUIRE(grown);
  CAF_CHECK_EQUAL(grown->kind(), demand_kind::trees);
  config = quick_training();
  config.trees.trees = 0;
  auto trained = train_demand(made_log(800), config);
  CAF_REQUIRE(trained);
  CAF_CHECK_EQUAL(trained->kind(), demand_kind::network);
}

CAF_TEST(ids_that_differ_only_at_the_end_tell_where_a_new_item_will_be_read) {
  demand_config config;
  config.max_groups = 1024;
  demand_counters counts{config};
  for (uint32_t k = 0; k < 50; ++k) {
    counts.read("news/10" + std::to_string(100 + k), 0, begin + k);
    counts.read("news/10" + std::to_string(100 + k), 1, begin + k);
    counts.read("news/20" + std::to_string(100 + k), 0, begin + k);
  }
  counts.read("news/10199", 0, begin + 60);
  counts.read("news/20199", 0, begin + 60);
  auto described = [&](const std::string& item, demand_feature f) {
    std::array<float, demand_feature_count> features;
    CAF_REQUIRE(counts.describe(item, 1, begin + 60, features.data(), 1));
    return features[static_cast<size_t>(f)];
  };
  CAF_CHECK_GREATER(described("news/10199", demand_feature::wide_reached), 0.9f);
  CAF_CHECK_LESS(described("news/20199", demand_feature::wide_reached), 0.1f);
  CAF_CHECK_EQUAL(described("news/10199", demand_feature::type_reached),
                  described("news/20199", demand_feature::type_reached));
}

CAF_TEST(a_model_that_has_seen_writes_tells_from_one_where_its_first_reads_will_come) {
  access_history history{1'000'000};
  std::mt19937_64 random{5};
  // Every ten minutes one item is written in region "0". Hot ones are read in region "1" within the hour.
  for (uint32_t k = 0; k < 1500; ++k) {
    const bool hot = random() % 3 == 0;
    const auto item = (hot ? "hot/" : "cold/") + std::to_string(k);
    history.add_write(item, "0", begin + k * 600);
    if (hot)
      history.add("", item, "1", begin + k * 600 + 60 + static_cast<uint32_t>(random() % 3000));
  }
  const auto log = history.all();
  auto parts = train_demand(log, quick_training());
  CAF_REQUIRE(parts);
  demand_model model;
  for (const auto& a : log.accesses)
    a.write ? model.written(log.item_names[a.item], a.region, a.time)
            : model.read(log.item_names[a.item], a.region, a.time);
  model.adopt(std::move(*parts));
  const uint32_t now = begin + 1500 * 600;
  model.written("hot/1500", 0, now);
  model.written("cold/1501", 0, now);
  CAF_CHECK(model.due("hot/1500", now));
  CAF_CHECK_GREATER(model.estimate_in("hot/1500", 1, now)[day_horizon], 0.7f);
  CAF_CHECK_LESS(model.estimate_in("cold/1501", 1, now)[day_horizon], 0.2f);
}

CAF_TEST(a_log_that_is_too_short_is_refused) {
  auto result = train_demand(made_log(20), quick_training());
  CAF_CHECK_EQUAL(code_of(result.error()), ec::invalid_argument);
}
