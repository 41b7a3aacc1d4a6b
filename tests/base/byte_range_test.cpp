#define CAF_SUITE byte_range
#include "runtime/base/byte_range.hpp"

#include <caf/test/dsl.hpp>

#include <string>

using namespace gnomon;

namespace {

std::string part_of(const std::string& text) {
  const std::string value = "0123456789";
  auto part = parse_range(text, value.size());
  return part.what == byte_range::kind::part    ? value.substr(part.first, part.count)
         : part.what == byte_range::kind::whole ? "whole"
                                                : "nothing";
}

} // namespace

CAF_TEST(a_range_names_its_first_and_last_byte_or_how_many_at_the_end) {
  const std::string huge(30, '9');
  CAF_CHECK_EQUAL(part_of("2-4"), "234");
  CAF_CHECK_EQUAL(part_of("8-"), "89");
  CAF_CHECK_EQUAL(part_of("-3"), "789");
  CAF_CHECK_EQUAL(part_of("8-" + huge), "89");
  CAF_CHECK_EQUAL(part_of("-" + huge), "0123456789");
  CAF_CHECK_EQUAL(part_of("0-18446744073709551615"), "0123456789");
}

CAF_TEST(what_lies_behind_the_end_is_nothing_and_what_has_no_sense_is_all) {
  for (auto text : {"10-", "10-12", "-0", "999999999999999999999999999999-"})
    CAF_CHECK_EQUAL(part_of(text), "nothing");
  CAF_CHECK(parse_range("0-", 0).what == byte_range::kind::unsatisfiable);
  for (auto text : {"4-2", "", "a-b", "0-1,3-4", "-", "5", "bytes=0-1"})
    CAF_CHECK_EQUAL(part_of(text), "whole");
}
