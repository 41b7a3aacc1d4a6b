#define CAF_SUITE strict_json
#include "tests/support/sanitizer.hpp"

#include "runtime/base/strict_json.hpp"

#include <caf/test/dsl.hpp>

#include <chrono>

using namespace gnomon;

namespace {

std::string repeated_in(std::string_view text) {
  return parse_strict_json(text).repeated.value_or("none");
}

} // namespace

CAF_TEST(a_document_comes_as_it_is) {
  auto one = parse_strict_json(R"({"b": [1, {"b": null}], "a": "x"})");
  CAF_CHECK(one.good());
  CAF_CHECK_EQUAL(one.document["a"], "x");
  CAF_CHECK_EQUAL(parse_strict_json<nlohmann::ordered_json>(R"({"b":1,"a":[{"b":2}]})").document.dump(),
                  R"({"b":1,"a":[{"b":2}]})");
  CAF_CHECK(parse_strict_json("[{\"a\":1},{\"a\":2}]").good());
  CAF_CHECK(parse_strict_json("7").good());
}

CAF_TEST(a_name_that_is_there_twice_is_found_at_any_depth_and_in_any_spelling) {
  CAF_CHECK_EQUAL(repeated_in(R"({"a":1,"a":1})"), "a");
  CAF_CHECK_EQUAL(repeated_in(R"({"a":1,"\u0061":1})"), "a");
  CAF_CHECK_EQUAL(repeated_in(R"({"x":[{"y":{"b":1,"b":2}}]})"), "b");
  CAF_CHECK_EQUAL(repeated_in(R"({"":1,"":2})"), "");
  CAF_CHECK_EQUAL(repeated_in(R"({"a":{"a":1},"b":{"a":1}})"), "none");
  CAF_CHECK(!parse_strict_json(R"({"":1,"":2})").good());
}

CAF_TEST(what_is_no_json_is_discarded) {
  for (auto text : {"", " ", "{", "{\"a\":1}}", "{\"a\":1,}", "nul", "{\"a\":\"\xff\"}", "{\"a\":1,\"a\":"})
    CAF_CHECK(parse_strict_json(text).document.is_discarded());
  using namespace std::string_view_literals;
  for (auto text : {"{\"a\":1}\0"sv, "{\"a\":1}\0{\"b\":2}"sv, "\0"sv, "{\"a\"\0:1}"sv})
    CAF_CHECK(parse_strict_json(text).document.is_discarded());
}

CAF_TEST(a_text_of_many_members_is_read_in_a_moment) {
  std::string text = "{\"x\":0";
  for (int i = 0; i < 200'000; ++i)
    text += ",\"" + std::to_string(i) + "\":0";
  const auto began = std::chrono::steady_clock::now();
  CAF_CHECK(parse_strict_json(text + "}").good());
  CAF_CHECK(std::chrono::steady_clock::now() - began < test::sanitizer_slowdown * std::chrono::seconds{5});
}
