#define CAF_SUITE accept
#include "runtime/gateway/accept.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::http;

namespace {

int json(const char* field) {
  return welcome_of(field, "application/json").thousandths;
}

} // namespace

CAF_TEST(ranges_are_compared_without_regard_to_case) {
  for (auto field : {"application/json", "Application/JSON", "text/html, application/json", "application/*", "*/*",
                     " application/json ;q=1 ", "text/html,application/json;charset=UTF-8", "APPLICATION/*;q=1.000"})
    CAF_CHECK_EQUAL(json(field), 1000);
  for (auto field : {"application/jsonlines", "text/json", "application/json2, text/*", "", ",", "json", "*/json",
                     "application", "x-application/json", "application/xjson"})
    CAF_CHECK_EQUAL(json(field), 0);
}

CAF_TEST(the_most_precise_range_decides) {
  CAF_CHECK_EQUAL(json("*/*, application/json;q=0"), 0);
  CAF_CHECK_EQUAL(json("application/json;q=0.3, application/*;q=0.7, */*"), 300);
  CAF_CHECK_EQUAL(json("application/*;q=0.7, */*;q=0.9"), 700);
  CAF_CHECK_EQUAL(json("application/json;version=2;q=0, application/json"), 1000);
  CAF_CHECK_EQUAL(json("application/json;charset=utf-8;q=0.2, application/json"), 200);
  CAF_CHECK_EQUAL(json("application/json;charset=\"utf-8\";q=0.2, application/json"), 200);
  CAF_CHECK_EQUAL(json("application/json;indent=2"), 1000);
}

CAF_TEST(weights_have_up_to_three_digits) {
  CAF_CHECK_EQUAL(json("application/json;q=0.5"), 500);
  CAF_CHECK_EQUAL(json("application/json; Q=0.125"), 125);
  CAF_CHECK_EQUAL(json("application/json;q=0."), 0);
  CAF_CHECK_EQUAL(json("application/json;q=0.000"), 0);
  CAF_CHECK_EQUAL(json("application/json;q=0.001"), 1);
  for (auto bad : {"application/json;q=2", "application/json;q=", "application/json;q=x", "application/json;q=0.1234"})
    CAF_CHECK_EQUAL(json(bad), 1000);
}

CAF_TEST(what_is_quoted_is_not_taken_for_separators) {
  CAF_CHECK_EQUAL(json("text/html;x=\"a, application/json\""), 0);
  CAF_CHECK_EQUAL(json("application/json;x=\";q=0\""), 1000);
  CAF_CHECK_EQUAL(json("text/html;x=\"a\\\", application/json\""), 0);
  CAF_CHECK_EQUAL(json("text/html;x=\"open, application/json"), 0);
}

CAF_TEST(a_type_is_named_or_only_covered) {
  CAF_CHECK(welcome_of("application/json", "application/json").named);
  CAF_CHECK(!welcome_of("application/*", "application/json").named);
  CAF_CHECK(!welcome_of("*/*", "application/json").named);
}
