#define CAF_SUITE copy_value
#include "learning/economy/caution.hpp"
#include "learning/economy/copy_value.hpp"
#include "learning/economy/hedge.hpp"
#include "learning/economy/prices.hpp"
#include "learning/economy/update_rates.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

/// A file that goes when this does.
struct price_file {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("prices-" + std::to_string(::getpid()));
  explicit price_file(const std::string& text) {
    std::ofstream{path} << text;
  }
  ~price_file() {
    std::filesystem::remove(path);
  }
};

} // namespace

CAF_TEST(a_price_table_is_read_and_unknown_regions_cost_the_mean) {
  price_file file{
      "# prices\nregion,storage_usd_per_gb_month,egress_usd_per_gb_to_other_regions\na,0.02,0.1\nb,0.04,0.02\n"};
  auto table = price_table::load(file.path);
  CAF_REQUIRE(table);
  CAF_CHECK_EQUAL(table->of("a").egress_usd_per_gb, 0.1);
  CAF_CHECK(!table->knows("c"));
  CAF_CHECK_LESS(std::abs(table->of("c").egress_usd_per_gb - 0.06), 1e-12);
  CAF_CHECK_LESS(std::abs(table->of("a").move_usd(2e9) - 0.2), 1e-12);
  CAF_CHECK_LESS(std::abs(table->of("b").hold_usd_per_s(1e9) * seconds_per_month - 0.04), 1e-12);
  CAF_CHECK_LESS(std::abs(table->with_storage_times(10).of("b").storage_usd_per_gb_month - 0.4), 1e-12);
}

CAF_TEST(a_wrong_line_of_a_price_table_is_named) {
  for (auto wrong : {"a,0.02\n", "a,0.02,x\n", "a,-1,0.02\n", "a,nan,0.02\n", ""}) {
    price_file file{wrong};
    auto table = price_table::load(file.path);
    CAF_REQUIRE(!table);
    CAF_CHECK(code_of(table.error()) == ec::bad_config);
  }
  CAF_CHECK(code_of(price_table::load("/nowhere/prices.csv").error()) == ec::not_found);
}

CAF_TEST(the_best_lifetime_is_where_saving_exceeds_cost_most) {
  const copy_costs costs{.hold_usd_per_s = 1, .miss_usd = 100, .make_usd = 20};
  const std::vector<return_chance> chances{{10, 0.5, 8}, {50, 0.6, 25}, {200, 0.9, 60}};
  const auto best = best_worth(chances, costs);
  CAF_CHECK_EQUAL(best.keep_s, 10);
  CAF_CHECK_EQUAL(best.saved_usd, 50);
  CAF_CHECK_EQUAL(best.spent_usd, 28);
  CAF_CHECK(best.explain().find("50%") != std::string::npos);
  CAF_CHECK_EQUAL(best_worth(chances, {.hold_usd_per_s = 1, .miss_usd = 100, .make_usd = 90}).keep_s, 0);
  CAF_CHECK_EQUAL(costs.break_even_s(), 100);
}

CAF_TEST(a_curve_of_exponential_gaps_agrees_with_the_formula_also_when_half_of_them_are_cut) {
  std::mt19937_64 random{5};
  std::exponential_distribution<double> gaps{1.0 / 1000}, watched{1.0 / 1000};
  gap_counts counts;
  for (int k = 0; k < 200'000; ++k) {
    const double gap = gaps(random), until = watched(random);
    gap < until ? counts.ended(gap) : counts.cut(until);
  }
  const return_curve curve{counts.hazards(nullptr, 20)};
  for (double t : {100.0, 500.0, 1000.0, 2000.0}) {
    CAF_CHECK_LESS(std::abs(curve.left(t) - std::exp(-t / 1000)), 0.02);
    CAF_CHECK_LESS(std::abs(curve.held(t) - 1000 * (1 - std::exp(-t / 1000))), 0.03 * t);
    const curve_ahead later{curve, 700}; // such gaps have no memory
    CAF_CHECK_LESS(std::abs(later.returned(t) - (1 - std::exp(-t / 1000))), 0.03);
  }
}

CAF_TEST(hedge_comes_to_cost_hardly_more_than_the_best_expert_and_follows_a_change) {
  hedge among{3};
  std::mt19937_64 random{11};
  std::uniform_real_distribution<double> noise;
  double paid = 0, mean = 0;
  auto charge = [&](std::array<double, 3> costs) {
    paid += costs[among.draw()];
    mean += (costs[0] + costs[1] + costs[2]) / 3;
    among.charge(costs);
  };
  for (int k = 0; k < 2000; ++k)
    charge({1 + noise(random), 0.2 + 0.2 * noise(random), 5 * noise(random)});
  CAF_MESSAGE("the best costs 600, all on average " << mean << ", hedge " << paid);
  CAF_CHECK_LESS(paid, 1.2 * 600);
  paid = mean = 0;
  for (int k = 0; k < 2000; ++k)
    charge({0.2 + 0.2 * noise(random), 1 + noise(random), 5 * noise(random)});
  CAF_MESSAGE("after the change: the best costs 600, all on average " << mean << ", hedge " << paid);
  CAF_CHECK_LESS(paid, 1.2 * 600);
}

namespace {

const copy_worth a_fifth_more{.saved_usd = 1.2, .spent_usd = 1};
constexpr double hour_s = 3600;

size_t made_of_thousand(caution& careful, uint64_t first, double now) {
  size_t made = 0;
  for (uint64_t copy = first; copy < first + 1000; ++copy)
    made += careful.worthwhile(copy, a_fifth_more, hour_s, 2, now);
  return made;
}

} // namespace

CAF_TEST(copies_ahead_that_are_never_read_make_the_next_ones_rarer) {
  caution careful;
  for (uint64_t copy = 0; copy < 20'000; ++copy)
    careful.worthwhile(copy, a_fifth_more, hour_s, 2, 0);
  CAF_CHECK_LESS(made_of_thousand(careful, 100'000, 0), 100u);
  for (uint64_t copy = 200'000; copy < 260'000; ++copy) { // now each of them is read
    careful.worthwhile(copy, a_fifth_more, hour_s, 2, 0);
    careful.read(copy, 1);
  }
  CAF_CHECK_GREATER(made_of_thousand(careful, 300'000, 0), 900u);
}

CAF_TEST(a_copy_ahead_that_goes_and_is_made_again_counts_each_time) {
  caution careful;
  for (uint64_t hour = 0; hour < 200; ++hour) // the same hundred copies, gone after an hour, read at last
    for (uint64_t copy = 0; copy < 100; ++copy)
      careful.worthwhile(copy, a_fifth_more, hour_s, 2, static_cast<double>(hour) * hour_s);
  CAF_CHECK_GREATER(careful.factor(), 1.2);
  CAF_CHECK_LESS(made_of_thousand(careful, 1000, 200 * hour_s), 100u);
}

CAF_TEST(a_copy_ahead_that_has_gone_before_its_read_saves_nothing) {
  caution careful;
  for (uint64_t copy = 0; copy < 20'000; ++copy) {
    const double now = static_cast<double>(copy) * hour_s;
    careful.worthwhile(copy, a_fifth_more, hour_s, 2, now);
    careful.read(copy, now + 2 * hour_s);
  }
  CAF_CHECK_GREATER(careful.factor(), 1.2);
}

CAF_TEST(a_new_item_is_expected_to_be_updated_as_often_as_the_others) {
  update_rates rates;
  CAF_CHECK_EQUAL(rates.per_s(0, 0, 0), 0);
  for (int item = 0; item < 10; ++item)
    rates.born(0);
  for (int update = 0; update < 20; ++update)
    rates.updated();
  const double now = 10 * hour_s, mean = 20 / (10 * now);
  CAF_CHECK_LESS(std::abs(rates.per_s(0, 0, now) / mean - 1), 1e-9);
  CAF_CHECK_LESS(rates.per_s(0, now, now), mean); // ten hours without one tell more
  CAF_CHECK_GREATER(rates.per_s(8, now, now), mean);
}
