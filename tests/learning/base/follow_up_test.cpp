#define CAF_SUITE follow_up
#include "learning/base/follow_up.hpp"

#include <caf/test/dsl.hpp>

#include <array>
#include <cmath>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

constexpr uint32_t begin = 1'500'000'000, hour = 3600, day = 86'400;

struct fixture {
  follow_up followed{{hour, day}, 5000};
  std::array<calibrator, 2> calibration;

  void guess(size_t k, uint32_t time) {
    followed.add("item" + std::to_string(k), time, {0.0f, 0.0f}, {static_cast<float>(k)});
  }
  void read(size_t k, uint32_t time) {
    followed.came("item" + std::to_string(k), time);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(following, fixture)

CAF_TEST(what_is_read_in_time_came_true_and_the_rest_did_not) {
  for (size_t k = 0; k < 1000; ++k)
    guess(k, begin);
  for (size_t k = 0; k < 200; ++k)
    read(k, begin + hour / 2);
  for (size_t k = 200; k < 600; ++k)
    read(k, begin + 2 * hour);
  followed.advance(begin + 2 * day, calibration);
  CAF_CHECK_EQUAL(calibration[0].outcomes(), 1000u);
  CAF_CHECK_EQUAL(calibration[1].outcomes(), 1000u);
  for (auto& c : calibration)
    c.fit();
  CAF_CHECK(std::abs(calibration[0](0) - 0.2f) < 0.05f);
  CAF_CHECK(std::abs(calibration[1](0) - 0.6f) < 0.05f);
}

CAF_TEST(reads_tell_long_before_the_longest_time_is_over) {
  for (size_t k = 0; k < 2000; ++k)
    guess(k, begin);
  for (size_t k = 0; k < 20; ++k)
    read(k, begin + hour);
  followed.advance(begin + 4 * hour, calibration);
  CAF_CHECK_EQUAL(calibration[1].outcomes(), 0u);
  CAF_CHECK_LESS(calibration[1](0), 0.1f);
}

CAF_TEST(no_more_are_followed_than_there_is_room_for) {
  for (size_t k = 0; k < 6000; ++k)
    guess(k, begin);
  CAF_CHECK(followed.full());
  CAF_CHECK_EQUAL(followed.added(), 5000u);
  CAF_CHECK(followed.follows("item4999", 0));
  CAF_CHECK(!followed.follows("item5000", 0));
  CAF_CHECK(!followed.follows("item4999", 1)); // surer than before: what becomes of it is worth knowing
  read(7, begin + 1);
  CAF_CHECK(!followed.follows("item7", 0));
  followed.advance(begin + 2 * day, calibration);
  CAF_CHECK(!followed.full());
  CAF_CHECK(!followed.follows("item4999", 0));
}

CAF_TEST(another_model_is_calibrated_by_what_is_followed_already) {
  for (size_t k = 0; k < 2000; ++k)
    guess(k, begin);
  for (size_t k = 0; k < 1000; ++k)
    read(k, begin + hour / 2);
  followed.advance(begin + 2 * hour, calibration); // known for an hour, open for a day
  calibration = {};
  followed.rescore([](const auto& features, auto& logits) {
    for (auto& logit : logits)
      logit = features[0] < 1000 ? 2.0f : -2.0f;
  });
  followed.advance(begin + 3 * hour, calibration);
  calibration[0].fit();
  CAF_CHECK_GREATER(calibration[0](2), 0.9f);
  CAF_CHECK_LESS(calibration[0](-2), 0.1f);
}

CAF_TEST_FIXTURE_SCOPE_END()
