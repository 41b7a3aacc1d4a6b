#define CAF_SUITE rounded
#include "runtime/base/rounded.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <limits>

using namespace gnomon;

CAF_TEST(a_figure_has_no_more_digits_than_were_measured) {
  CAF_CHECK_EQUAL(rounded_usd(3.420876112251882e-16), 3.42e-16);
  CAF_CHECK_EQUAL(rounded_usd(1234.5), 1230);
  CAF_CHECK_EQUAL(rounded_figure(92.13456789), 92.1346);
  CAF_CHECK_EQUAL(rounded_figure(0.1 + 0.2), 0.3);
  CAF_CHECK_EQUAL(rounded_figure(0), 0);
  CAF_CHECK_EQUAL(rounded_figure(-7.5), -7.5);
  CAF_CHECK(std::isinf(rounded_figure(std::numeric_limits<double>::infinity())));
  CAF_CHECK(std::isnan(rounded_figure(std::numeric_limits<double>::quiet_NaN())));
}
