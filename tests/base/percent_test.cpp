#define CAF_SUITE percent
#include "runtime/base/percent.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

std::string decoded(std::string_view text, bool form) {
  auto result = percent_decode(text, form);
  return result ? std::move(*result) : "refused";
}

} // namespace

CAF_TEST(what_may_not_stand_in_an_address_is_written_as_bytes) {
  CAF_CHECK_EQUAL(percent_encode("a b/%\xC3\xA4"), "a%20b/%25%C3%A4");
  CAF_CHECK_EQUAL(percent_encode("Az09-._~"), "Az09-._~");
  CAF_CHECK_EQUAL(percent_encode("?#&=+@[`{"), "%3F%23%26%3D%2B%40%5B%60%7B");
}

CAF_TEST(each_byte_comes_back_from_a_path_and_from_a_query) {
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes += static_cast<char>(i);
  for (auto form : {false, true})
    CAF_CHECK_EQUAL(decoded(percent_encode(bytes), form), bytes);
}

CAF_TEST(a_plus_is_a_space_in_queries_only) {
  CAF_CHECK_EQUAL(decoded("a+b%2b", false), "a+b+");
  CAF_CHECK_EQUAL(decoded("a+b%2b", true), "a b+");
}

CAF_TEST(a_percent_sign_needs_two_digits_behind_it) {
  for (auto bad : {"%", "%2", "a%2", "%g0", "%0g", "%%20"})
    CAF_CHECK(!percent_decode(bad));
}
