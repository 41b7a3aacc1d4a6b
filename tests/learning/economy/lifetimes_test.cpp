#define CAF_SUITE lifetimes
#include "learning/economy/lifetimes.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <functional>
#include <random>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

constexpr double hour = 3600, day = 86'400;
constexpr copy_costs costs{.hold_usd_per_s = 1e-9, .miss_usd = 1e-9 * day}; // breaks even after a day
const gap_kind kind{"news", 1, 65'536};

double paid(double keep, double gap) {
  return costs.hold_usd_per_s * std::min(gap, keep) + (gap > keep ? costs.miss_usd : 0);
}

double least(double gap) {
  return std::min(costs.hold_usd_per_s * gap, costs.miss_usd);
}

/// Plays gaps of `items` copies, one copy after the other, and checks the bound for each.
struct player {
  adaptive_lifetimes lifetimes;
  double now = 1e6, paid_usd = 0, least_usd = 0;
  uint64_t over = 0;

  void gap(uint64_t copy, const std::function<double(const lifetime&)>& choose) {
    const auto life = lifetimes.read(copy, kind, costs, now);
    const double seconds = choose(life);
    now += seconds;
    const double cost = paid(life.keep_s, seconds), best = least(seconds);
    over += cost > (1 + 1 / life.trust) * best * (1 + 1e-9);
    paid_usd += cost;
    least_usd += best;
  }
};

double random_gap(std::mt19937_64& random, int shape) {
  std::uniform_real_distribution<double> uniform;
  switch (shape) {
  case 0:
    return 60 * std::exp(10 * uniform(random));
  case 1:
    return -day * std::log(1 - uniform(random));
  case 2:
    return uniform(random) < 0.5 ? 10 : 30 * day;
  default:
    return day;
  }
}

} // namespace

CAF_TEST(no_gap_costs_more_than_its_bound_whatever_was_learned) {
  std::mt19937_64 random{7};
  for (int shape = 0; shape < 4; ++shape) {
    player p;
    for (int k = 0; k < 20'000; ++k)
      p.gap(k % 40, [&](auto&) { return random_gap(random, shape); });
    CAF_CHECK_EQUAL(p.over, 0u);
  }
}

CAF_TEST(an_adversary_that_reads_just_after_each_copy_has_gone_wins_no_more_than_the_bound) {
  player p;
  for (int k = 0; k < 20'000; ++k)
    p.gap(k % 40, [](const lifetime& life) { return life.keep_s * 1.0001; });
  CAF_CHECK_EQUAL(p.over, 0u);
  CAF_CHECK_LESS(p.paid_usd, 11 * p.least_usd);
}

CAF_TEST(an_adversary_that_teaches_short_gaps_and_then_never_returns_stays_within_the_bound) {
  player p;
  for (int k = 0; k < 10'000; ++k)
    p.gap(k % 40, [](auto&) { return hour; });
  for (int k = 0; k < 10'000; ++k)
    p.gap(1000 + k, [](auto&) { return 400 * day; });
  CAF_CHECK_EQUAL(p.over, 0u);
}

CAF_TEST(copies_that_return_within_their_break_even_time_are_kept_until_then) {
  player p;
  for (int k = 0; k < 5000; ++k)
    p.gap(1, [](auto&) { return 20 * hour; });
  const auto life = p.lifetimes.read(1, kind, costs, p.now);
  CAF_CHECK_GREATER(life.keep_s, 20 * hour);
  CAF_CHECK_GREATER(life.worth.returned, 0.95);
  CAF_CHECK_GREATER(life.worth.net_usd(), 0);
}

CAF_TEST(copies_that_return_soon_or_never_are_given_up_soon) {
  adaptive_lifetimes lifetimes;
  double now = 1e6;
  for (uint64_t k = 0; k < 20'000; ++k) { // each item is read twice within a minute, and then never again
    lifetimes.read(k, kind, costs, now);
    lifetimes.read(k, kind, costs, now + 60);
    now += hour;
  }
  lifetimes.read(1'000'000, kind, costs, now);
  const auto life = lifetimes.read(1'000'000, kind, costs, now + 60);
  CAF_CHECK_LESS(life.wish_s, hour);
  CAF_CHECK_LESS(life.keep_s, 0.3 * day);
  CAF_CHECK_LESS(life.trust, 0.3);
}

CAF_TEST(what_is_unknown_is_kept_until_it_breaks_even) {
  adaptive_lifetimes lifetimes;
  const auto life = lifetimes.read(1, kind, costs, 5);
  CAF_CHECK_EQUAL(life.keep_s, day);
  CAF_CHECK(lifetimes.chances(kind, 0).empty());
}

CAF_TEST(an_update_rate_shortens_lives_and_more_updates_than_reads_end_them) {
  player p;
  for (int k = 0; k < 5000; ++k)
    p.gap(1, [](auto&) { return 10 * hour; });
  auto updated = costs;
  CAF_CHECK_GREATER(p.lifetimes.read(1, kind, updated, p.now).keep_s, 10 * hour);
  updated.update_usd_per_s = 4 * costs.miss_usd / (10 * hour); // four updates for each read
  const auto life = p.lifetimes.read(1, kind, updated, p.now + 10 * hour);
  CAF_CHECK_LESS(life.wish_s, hour);
}

CAF_TEST(open_gaps_tell_that_copies_do_not_return) {
  adaptive_lifetimes lifetimes{{.max_open = 5000}};
  for (uint64_t k = 0; k < 4000; ++k)
    lifetimes.read(k, kind, costs, static_cast<double>(k));
  for (uint64_t k = 0; k < 4000; ++k) // much later; none of the first ones has come back
    lifetimes.read(1'000'000 + k, kind, costs, 50 * day + static_cast<double>(k));
  const auto chances = lifetimes.chances({"news", 1, 65'536, 1}, 0);
  CAF_REQUIRE(!chances.empty());
  for (const auto& chance : chances)
    if (chance.within_s < 10 * day)
      CAF_CHECK_LESS(chance.returned, 0.05);
}

CAF_TEST(what_was_learned_survives_being_saved_and_damage_is_refused) {
  player p;
  std::mt19937_64 random{3};
  for (int k = 0; k < 5000; ++k)
    p.gap(k % 40, [&](auto&) { return random_gap(random, 1); });
  writer out;
  p.lifetimes.save(out);
  const auto bytes = out.take();
  adaptive_lifetimes copy;
  reader in{bytes};
  copy.load(in);
  CAF_REQUIRE(in.good());
  CAF_CHECK(in.at_end());
  CAF_CHECK(copy.trust_weights() == p.lifetimes.trust_weights());
  CAF_CHECK_EQUAL(copy.of(3, p.now).reads, p.lifetimes.of(3, p.now).reads);
  for (size_t cut = 0; cut < bytes.size(); cut += 97) {
    reader damaged{std::string_view{bytes}.substr(0, cut)};
    adaptive_lifetimes other;
    other.load(damaged);
    CAF_CHECK(!damaged.good());
    CAF_CHECK_EQUAL(other.of(3, p.now).reads, 0u);
  }
}

CAF_TEST(a_table_gives_the_lifetimes_that_were_learned) {
  adaptive_lifetimes learned;
  double now = 1e6;
  CAF_CHECK_EQUAL(learned.table().keep(kind, costs, 0.5).keep_s, costs.break_even_s());
  for (int round = 0; round < 40; ++round, now += 3 * hour)
    for (uint64_t copy = 0; copy < 100; ++copy)
      learned.read(copy, kind, costs, now);
  auto table = learned.table();
  CAF_CHECK(learned.fits() > 0);
  auto read = kind;
  read.reads = 40;
  read.pace_s = 3 * hour;
  const auto life = table.keep(read, costs, 0);
  CAF_CHECK(life.wish_s >= 3 * hour && life.wish_s < day);
  CAF_CHECK(life.worth.returned > 0.9);
  CAF_CHECK_EQUAL(table.extend(read, costs, 11 * day, 0), 0.0); // beyond what any expert may keep
  for (double draw : {0.0, 0.3, 0.6, 0.99}) {
    const auto any = table.keep(read, costs, draw);
    CAF_CHECK(any.keep_s >= any.trust * any.break_even_s && any.keep_s <= any.break_even_s / any.trust);
  }
  auto unknown = read;
  unknown.type = "never seen";
  CAF_CHECK(table.keep(unknown, costs, 0).wish_s < day); // as any type
}
