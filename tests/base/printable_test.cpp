#define CAF_SUITE printable
#include "runtime/base/json_text.hpp"
#include "runtime/base/printable.hpp"

#include "runtime/base/base64.hpp"

#include <nlohmann/json.hpp>

#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(text_from_elsewhere_cannot_command_the_terminal) {
  CAF_CHECK_EQUAL(printable("a\033[2Jb\n"), "a\\x1B[2Jb\\x0A");
  CAF_CHECK_EQUAL(printable("\xC2\x9B"
                            "31m\x7F"),
                  "\\xC2\\x9B31m\\x7F");
  CAF_CHECK_EQUAL(printable("\u202Etxt.exe"), "\\xE2\\x80\\xAEtxt.exe");
  CAF_CHECK_EQUAL(printable("\u2066a\u2069\u200F\u061C\u2028\uFEFF").find_first_not_of("\\x0123456789ABCDEFa"),
                  std::string::npos);
  CAF_CHECK_EQUAL(printable("\xFF\xE2\x82"), "\\xFF\\xE2\\x82");
  CAF_CHECK_EQUAL(printable("\xC0\x9B\xED\xA0\x80"), "\\xC0\\x9B\\xED\\xA0\\x80"); // an overlong form, a surrogate
  CAF_CHECK_EQUAL(printable("ключ/値 😀 é"), "ключ/値 😀 é");
  CAF_CHECK_EQUAL(printable("a\tb\nc\r", "\n\t"), "a\tb\nc\\x0D");
}

CAF_TEST(json_says_every_byte_of_a_text) {
  const nlohmann::ordered_json document{
      {"good", "ключ"}, {"bad", "a\xFF"}, {"list", {"x", "\xC3"}}, {"deep", {{"worse", "\x80"}}}};
  const auto back = nlohmann::json::parse(json_text(document));
  CAF_CHECK_EQUAL(back["good"], "ключ");
  CAF_CHECK(!back.contains("bad"));
  CAF_CHECK_EQUAL(base64_decode(back["bad_base64"].get<std::string>()).value_or("?"), "a\xFF");
  CAF_CHECK_EQUAL(back["list"][0], "x");
  CAF_CHECK_EQUAL(base64_decode(back["list"][1]["base64"].get<std::string>()).value_or("?"), "\xC3");
  CAF_CHECK_EQUAL(base64_decode(back["deep"]["worse_base64"].get<std::string>()).value_or("?"), "\x80");
}

CAF_TEST(json_on_a_terminal_commands_nothing_and_reads_back_the_same) {
  const std::string text = "\033[31m\x7F\u009B\u202E\U000E0041ключ";
  const auto said = json_text(nlohmann::json{{"id", text}}, 2);
  CAF_CHECK_EQUAL(printable(said, "\n"), said);
  CAF_CHECK(said.find("ключ") != std::string::npos);
  const auto back = nlohmann::json::parse(said);
  CAF_CHECK_EQUAL(back["id"], text);
}
