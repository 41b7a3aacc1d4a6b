#define CAF_SUITE prefetch_budget
#include "actors/prefetch_budget.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace std::chrono_literals;

namespace {

const timestamp start{duration{1'700'000'000'000}};

} // namespace

CAF_TEST(only_guesses_above_the_threshold_are_worth_a_copy) {
  prefetch_budget budget{{0.3, 0.5, 1000}};
  CAF_CHECK(!budget.worth(0.29));
  CAF_CHECK(budget.worth(0.31));
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

CAF_TEST(the_threshold_rises_while_too_much_is_wasted_and_falls_back) {
  prefetch_budget budget{{0.3, 0.5, 1000}};
  for (int k = 0; k < 100; ++k)
    budget.settle(k % 4 == 0);
  CAF_CHECK_GREATER(budget.wasted_share(), 0.7);
  CAF_CHECK_GREATER(budget.threshold(), 0.6);
  for (int k = 0; k < 2000; ++k)
    budget.settle(k % 4 != 0);
  CAF_CHECK_LESS(budget.wasted_share(), 0.3);
  CAF_CHECK_EQUAL(budget.threshold(), 0.3);
}

CAF_TEST(waste_stays_near_its_bound_when_likelier_copies_are_wasted_less) {
  prefetch_budget budget{{0.1, 0.3, 1000}};
  // Each copy comes true as often as its confidence says, and confidences lie evenly above the threshold.
  double phase = 0, debt = 0, used = 0, all = 0;
  for (int k = 0; k < 20'000; ++k) {
    phase = phase + 0.618034 - static_cast<int>(phase + 0.618034);
    if (!budget.worth(phase))
      continue;
    debt += phase;
    const bool hit = debt >= 1;
    debt -= hit ? 1 : 0;
    budget.settle(hit);
    if (k > 2000) {
      used += hit ? 1 : 0;
      all += 1;
    }
  }
  CAF_CHECK_LESS(1 - used / all, 0.33);
  CAF_CHECK_GREATER(1 - used / all, 0.25);
}
