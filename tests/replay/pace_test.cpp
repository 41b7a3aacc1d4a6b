#define CAF_SUITE pace
#include "runtime/replay/pace.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>

using namespace gnomon::replay;

namespace {

/// `count` reads over `span` seconds; the last `burst` of them within the last hundredth.
std::vector<trace_read> reads_over(double span, size_t count, size_t burst = 0) {
  std::vector<trace_read> reads(count);
  auto calm = static_cast<double>(count - burst);
  for (size_t i = 0; i < count; ++i) {
    auto late = static_cast<double>(i) - calm;
    reads[i].t = 1e9
                 + (late < 0 ? static_cast<double>(i) / calm * span * 0.99
                             : span * (0.99 + 0.01 * (late + 1) / static_cast<double>(burst)));
  }
  return reads;
}

} // namespace

CAF_TEST(a_read_waits_for_those_before_it) {
  std::vector<trace_read> at_once(101);
  CAF_CHECK(std::abs(worst_wait(at_once, 60, 10) - 10) < 1e-6);
  CAF_CHECK(std::abs(worst_wait(reads_over(1000, 100), 100, 1000)) < 1e-6);
}

CAF_TEST(a_first_run_takes_under_two_minutes) {
  auto speed = choose_pace(reads_over(86'400, 30'000), 90);
  CAF_CHECK(speed.pass_seconds > 35 && speed.pass_seconds < 56);
  CAF_CHECK(speed.baseline_seconds - speed.pass_seconds < 5);
}

CAF_TEST(large_values_slow_the_trace_down) {
  const auto reads = reads_over(86'400, 10'000);
  CAF_CHECK(choose_pace(reads, 90, 400'000).pass_seconds > 1.5 * choose_pace(reads, 90).pass_seconds);
}

CAF_TEST(bursts_slow_the_trace_down) {
  auto even = choose_pace(reads_over(1e7, 20'000), 90);
  auto uneven = choose_pace(reads_over(1e7, 20'000, 5'000), 90);
  CAF_CHECK(uneven.pass_seconds > 2 * even.pass_seconds);
}

CAF_TEST(passes_are_as_short_as_two_cores_allow_where_the_first_alone_takes_minutes) {
  auto speed = choose_pace(reads_over(127'420, 200'000), 112);
  CAF_CHECK(speed.pass_seconds >= 130);
  CAF_CHECK(speed.baseline_seconds > speed.pass_seconds + 60);
  CAF_CHECK(2 * speed.pass_seconds + speed.baseline_seconds < 700);
}

CAF_TEST(a_trace_is_never_slowed_down) {
  CAF_CHECK_EQUAL(choose_pace(reads_over(5, 10), 100).time_scale, 1.0);
  CAF_CHECK_EQUAL(choose_pace({trace_read{}}, 100).time_scale, 1.0);
}

CAF_TEST(a_given_speed_stands) {
  auto speed = given_pace(100, reads_over(1000, 10), 50);
  CAF_CHECK_EQUAL(speed.time_scale, 100.0);
  CAF_CHECK(std::abs(speed.pass_seconds - 8.91) < 0.01);
}
