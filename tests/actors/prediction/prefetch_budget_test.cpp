#define CAF_SUITE prefetch_budget
#include "actors/prediction/prefetch_budget.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <deque>

using namespace gnomon;
using namespace std::chrono_literals;

namespace {

const timestamp start{duration{1'700'000'000'000}};

} // namespace

CAF_TEST(before_anything_is_known_only_part_of_what_is_said_is_believed) {
  prefetch_budget budget{{0.3, 0.5, 1000}};
  CAF_CHECK(!budget.worth(0.42));
  CAF_CHECK(budget.worth(0.44));
}

CAF_TEST(bytes_are_rationed_in_the_long_run_whatever_comes_at_once) {
  prefetch_budget budget{{0.3, 0.5, 1000}};
  uint64_t taken = 0;
  for (int k = 0; k < 1000; ++k)
    taken += budget.take(100, start) ? 100 : 0;
  CAF_CHECK_EQUAL(taken, 10'000u); // ten seconds' worth
  for (int second = 1; second <= 100; ++second)
    for (int k = 0; k < 100; ++k)
      taken += budget.take(100, start + second * 1s) ? 100 : 0;
  CAF_CHECK_EQUAL(taken, 110'000u);
}

CAF_TEST(a_copy_larger_than_thought_is_paid_for_later) {
  prefetch_budget budget{{0.3, 0.5, 1000}};
  CAF_REQUIRE(budget.take(100, start));
  budget.correct(100, 50'000);
  CAF_CHECK(!budget.take(1, start + 30s)); // 40,000 over, and 1,000 come back a second
  CAF_CHECK(budget.take(1, start + 60s));
}

CAF_TEST(a_copy_that_was_not_made_costs_nothing) {
  prefetch_budget budget{{0.3, 0.5, 10}};
  for (int k = 0; k < 1000; ++k) {
    CAF_REQUIRE(budget.take(100, start));
    budget.correct(100, 0);
  }
}

CAF_TEST(copies_whose_outcome_is_open_count_by_what_was_said_of_them) {
  prefetch_budget budget{{0.3, 0.5, 1000}};
  for (int k = 0; k < 20; ++k)
    budget.issue(0.51);
  CAF_CHECK_GREATER(budget.threshold(), 0.7);
  for (int k = 0; k < 20; ++k)
    budget.withdraw(0.51);
  CAF_CHECK_LESS(budget.threshold(), 0.51);
}

CAF_TEST(what_comes_true_as_said_is_believed) {
  prefetch_budget budget{{0.3, 0.7, 1000}};
  for (int k = 0; k < 400; ++k) {
    budget.issue(0.5);
    budget.settle(0.5, k % 2 == 0);
  }
  CAF_CHECK_LESS(budget.threshold(), 0.33);
  CAF_CHECK_GREATER(budget.threshold(), 0.299);
  CAF_CHECK_LESS(std::abs(budget.wasted_share() - 0.5), 0.01);
}

namespace {

/// The share of copies that goes unread when guesses of all confidences come, of which `truth` times what was said
/// comes true, and outcomes are known 100 copies later.
double wasted(const prefetch_limits& limits, double truth) {
  prefetch_budget budget{limits};
  std::deque<std::pair<double, bool>> open;
  double phase = 0, debt = 0, used = 0, all = 0;
  for (int k = 0; k < 50'000; ++k) {
    phase = phase + 0.618034 - static_cast<int>(phase + 0.618034);
    if (!budget.worth(phase))
      continue;
    debt += truth * phase;
    const bool hit = debt >= 1;
    debt -= hit ? 1 : 0;
    budget.issue(phase);
    open.emplace_back(phase, hit);
    if (open.size() > 100) {
      budget.settle(open.front().first, open.front().second);
      used += open.front().second ? 1 : 0;
      all += 1;
      open.pop_front();
    }
  }
  CAF_CHECK_GREATER(all, 1000.0);
  return 1 - used / all;
}

} // namespace

CAF_TEST(waste_stays_within_its_bound_and_uses_it) {
  CAF_CHECK_LESS(wasted({0.1, 0.3, 1000}, 1), 0.3);
  CAF_CHECK_GREATER(wasted({0.1, 0.3, 1000}, 1), 0.24);
}

CAF_TEST(waste_stays_within_its_bound_when_less_comes_true_than_was_said) {
  CAF_CHECK_LESS(wasted({0.1, 0.6, 1000}, 0.7), 0.6);
}
