#define CAF_SUITE units
#include "runtime/base/units.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace std::literals;

CAF_TEST(durations_and_sizes_have_units_and_return_to_the_same_text) {
  for (auto text : {"0ms", "1ms", "1500ms", "30s", "5m", "24h"})
    CAF_CHECK(duration_from(text).has_value());
  for (auto text : {"", "5", "5 s", "-5s", "5S", "1.5s", "s", "99999999999999999999s", "9223372036854775807d"})
    CAF_CHECK(!duration_from(text));
  CAF_CHECK_EQUAL(to_text(1500ms), "1500ms");
  CAF_CHECK_EQUAL(to_text(24h), "1d");
  CAF_CHECK_EQUAL(bytes_text(*bytes_from("256MiB")), "256MiB");
  CAF_CHECK(!bytes_from("256MB"));
}
