#define CAF_SUITE item_line
#include "runtime/shell/item_line.hpp"

#include "runtime/base/printable.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::shell;

CAF_TEST(an_item_with_siblings_comes_back_as_it_was) {
  item x;
  x.id = "ключ/\"1\"\n";
  x.versions = {
      {std::string("\0\xFF\n", 3), "image/png", "u1", {}, time_point{std::chrono::milliseconds{1700000000000}}},
      {"other", "", "", {}, {}}};
  auto line = write_line(x);
  CAF_CHECK_EQUAL(line.find('\n'), std::string::npos);
  auto y = read_line(line);
  CAF_CHECK_EQUAL(y.id, x.id);
  CAF_REQUIRE_EQUAL(y.versions.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    CAF_CHECK_EQUAL(y.versions[i].value, x.versions[i].value);
    CAF_CHECK_EQUAL(y.versions[i].content_type, x.versions[i].content_type);
    CAF_CHECK_EQUAL(y.versions[i].user, x.versions[i].user);
    CAF_CHECK(y.versions[i].expires == x.versions[i].expires);
  }
}

CAF_TEST(no_byte_of_a_name_is_changed) {
  item x;
  x.id = "a\033[31m\u202E";
  x.versions = {{"v", "text/pl\xE4in", "u\xFF", {}, {}}};
  const auto line = write_line(x);
  CAF_CHECK_EQUAL(printable(line), line);
  const auto y = read_line(line);
  CAF_CHECK_EQUAL(y.id, x.id);
  CAF_CHECK_EQUAL(y.versions.at(0).content_type, x.versions[0].content_type);
  CAF_CHECK_EQUAL(y.versions.at(0).user, x.versions[0].user);
}

CAF_TEST(a_line_may_say_its_value_as_text) {
  auto x = read_line(R"({"id":"a","text":"hello"})");
  CAF_CHECK_EQUAL(x.versions.at(0).value, "hello");
}

CAF_TEST(a_bad_line_says_what_is_wrong) {
  auto why = [](std::string_view line) -> std::string {
    try {
      read_line(line);
    } catch (const bad_line& e) {
      return e.what();
    }
    return "nothing";
  };
  CAF_CHECK_EQUAL(why("{"), "this is not JSON");
  CAF_CHECK(why("[1]").starts_with("a JSON object is needed"));
  CAF_CHECK_EQUAL(why(R"({"value":"aGVsbG8="})"), "\"id\" is missing or empty");
  CAF_CHECK_EQUAL(why(R"({"id":"a"})"), "there must be either \"value\" (base64) or \"text\"");
  CAF_CHECK_EQUAL(why(R"({"id":"a","value":"%"})"), "\"value\" is not base64");
  CAF_CHECK_EQUAL(why(R"({"id":"a","value":7})"), "\"value\" must be a string");
  CAF_CHECK_EQUAL(why(R"({"id":"a","text":"","vlaue":""})"), "unknown key \"vlaue\"");
  CAF_CHECK(why(R"({"id":"a","text":"","expires":-1})").starts_with("\"expires\" must be"));
  CAF_CHECK(why(R"({"id":"a","text":"","expires":18446744073709551615})").starts_with("\"expires\" must be"));
  CAF_CHECK_EQUAL(why(R"({"id":"a","text":"","user_base64":"%"})"), "\"user_base64\" is not base64");
  CAF_CHECK_EQUAL(why(R"({"id":"a","text":"","user":"u","user_base64":"dQ=="})"),
                  "\"user_base64\" and \"user\" exclude each other");
  CAF_CHECK(why(R"({"id":"a","text":"","siblings":{}})").starts_with("\"siblings\" must be"));
}

CAF_TEST(a_key_that_is_there_twice_is_refused_at_any_depth) {
  auto fault_of = [](const char* line) {
    try {
      read_line(line);
    } catch (const bad_line& fault) {
      return std::string{fault.what()};
    }
    return std::string{"taken"};
  };
  for (auto line :
       {R"({"id":"a","id":"b","text":"x"})", R"({"id":"a","text":"x","text":"x"})",
        R"({"id":"a","\u0069d":"b","text":"x"})", R"({"id":"a","text":"x","siblings":[{"text":"y","text":"z"}]})"})
    CAF_CHECK(fault_of(line).find("twice") != std::string::npos);
  CAF_CHECK_EQUAL(fault_of(R"({"id":"a","text":"x","siblings":[{"text":"y"},{"text":"z"}]})"), "taken");
}
