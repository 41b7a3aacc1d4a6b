#define CAF_SUITE numbers
#include "runtime/base/numbers.hpp"

#include <caf/test/dsl.hpp>

#include <cstdint>

using gnomon::parse_number;

CAF_TEST(a_number_is_read_from_the_first_to_the_last_character) {
  CAF_CHECK_EQUAL(parse_number<uint32_t>("20"), 20u);
  CAF_CHECK_EQUAL(parse_number<int64_t>("-7"), -7);
  CAF_CHECK_EQUAL(parse_number<double>("2.5e1"), 25.0);
  for (auto text : {"", " 1", "1 ", "+1", "0x1", "one", "1,000"})
    CAF_CHECK(!parse_number<int64_t>(text));
}

CAF_TEST(a_number_that_does_not_fit_is_none) {
  CAF_CHECK_EQUAL(parse_number<uint16_t>("65535"), 65535);
  CAF_CHECK(!parse_number<uint16_t>("65536"));
  CAF_CHECK(!parse_number<uint16_t>("-1"));
  CAF_CHECK(!parse_number<double>("1e999"));
}
