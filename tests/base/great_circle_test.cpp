#define CAF_SUITE great_circle
#include "runtime/base/great_circle.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>

using namespace gnomon;

namespace {

bool is_near(double km, double expected) {
  return std::abs(km - expected) < 0.1;
}

} // namespace

CAF_TEST(distances_follow_the_great_circle) {
  CAF_CHECK_EQUAL(great_circle_km({10, 20}, {10, 20}), 0.0);
  CAF_CHECK(is_near(great_circle_km({0, 179}, {0, -179}), 222.4));
  CAF_CHECK(is_near(great_circle_km({90, 0}, {-90, 0}), 20015.1));
  CAF_CHECK(is_near(great_circle_km({0, 0}, {0, 180}), 20015.1));
  CAF_CHECK_EQUAL(great_circle_km({50.1, 8.7}, {39.0, -77.5}), great_circle_km({39.0, -77.5}, {50.1, 8.7}));
}
