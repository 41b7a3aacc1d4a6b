#define CAF_SUITE words
#include "runtime/shell/words.hpp"

#include "tests/support/throws.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::shell;
using gnomon::testing::throws;

using words = std::vector<std::string>;

CAF_TEST(blanks_separate_and_quotes_keep) {
  CAF_CHECK_EQUAL(split_words("put  a\t'b c' \"d \\\" e\" f\\ g"), (words{"put", "a", "b c", "d \" e", "f g"}));
  CAF_CHECK_EQUAL(split_words("put a '{\"factor\": 4}'"), (words{"put", "a", "{\"factor\": 4}"}));
  CAF_CHECK_EQUAL(split_words("put a ''"), (words{"put", "a", ""}));
  CAF_CHECK_EQUAL(split_words("   "), words{});
  CAF_CHECK_EQUAL(split_words("a'b'\"c\""), words{"abc"});
}

CAF_TEST(a_quote_that_never_ends_is_named) {
  CAF_CHECK(throws<usage_error>([&] { split_words("put a 'b"); }));
  CAF_CHECK(throws<usage_error>([&] { split_words("put a \"b\\\""); }));
}

CAF_TEST(a_quoted_word_is_read_back_as_it_was) {
  for (auto word :
       {"plain", "two words", "it's", "say \"so\"", "back\\slash", "", "news/1", "\t", "a\nb", "\x1b[m", "\\n"})
    CAF_CHECK_EQUAL(split_words(quote_word(word)), words{word});
  CAF_CHECK_EQUAL(quote_word("a\nb\x1b"), "\"a\\nb\\x1b\"");
}

CAF_TEST(double_quotes_know_escapes) {
  CAF_CHECK_EQUAL(split_words("put a \"one\\ntwo\\t\\x41\\\\n\\q\""), (words{"put", "a", "one\ntwo\tA\\n\\q"}));
  CAF_CHECK_EQUAL(split_words("put a \"\\x4\\xZZ\""), (words{"put", "a", "\\x4\\xZZ"}));
  CAF_CHECK_EQUAL(split_words("put a 'one\\ntwo'"), (words{"put", "a", "one\\ntwo"}));
}

CAF_TEST(a_quote_or_a_backslash_goes_on_in_the_next_line) {
  for (auto open : {"put a 'b", "put a \"b", "put a \"b\\\"", "put a \\", "\\\\\\"})
    CAF_CHECK(goes_on(open));
  for (auto whole : {"", "put a b", "put a 'b'", "put a \"b\\\"\"", "put a \\\\"})
    CAF_CHECK(!goes_on(whole));
  CAF_CHECK_EQUAL(split_words("put a 'one\ntwo'"), (words{"put", "a", "one\ntwo"}));
  CAF_CHECK_EQUAL(split_words("put a \\\nb"), (words{"put", "a", "b"}));
  CAF_CHECK_EQUAL(split_words("put a \"b\\\nc\""), (words{"put", "a", "bc"}));
}

CAF_TEST(options_may_stand_anywhere_and_a_double_dash_ends_them) {
  const std::vector<option_spec> specs{{"--acks", "N", ""}, {"--json", "", ""}, {"-o", "FILE", ""}};
  auto args = parse_arguments({"id", "--acks", "2", "-", "--json", "--", "--acks"}, specs);
  CAF_CHECK_EQUAL(args.positional, (words{"id", "-", "--acks"}));
  CAF_CHECK_EQUAL(args.get("--acks"), "2");
  CAF_CHECK(args.has("--json"));
  CAF_CHECK_EQUAL(parse_arguments({"--acks=7"}, specs).get("--acks"), "7");
  CAF_CHECK_EQUAL(parse_arguments({"-o", "-"}, specs).get("-o"), "-");
}

CAF_TEST(wrong_options_are_refused) {
  const std::vector<option_spec> specs{{"--acks", "N", ""}, {"--json", "", ""}};
  CAF_CHECK(throws<usage_error>([&] { parse_arguments({"--ack", "1"}, specs); }));
  CAF_CHECK(throws<usage_error>([&] { parse_arguments({"--acks"}, specs); }));
  CAF_CHECK(throws<usage_error>([&] { parse_arguments({"--json=yes"}, specs); }));
  CAF_CHECK(throws<usage_error>([&] { parse_arguments({"--json", "--json"}, specs); }));
}

CAF_TEST(numbers_are_checked_to_the_last_character) {
  CAF_CHECK_EQUAL(parse_count("64", "n", 1, 64), 64u);
  for (auto bad : {"", "0", "65", "-1", "1x", " 1", "1.5", "99999999999999999999999"})
    CAF_CHECK(throws<usage_error>([&] { parse_count(bad, "n", 1, 64); }));
  CAF_CHECK_EQUAL(parse_real("-33.5", "lat", -90, 90), -33.5);
  for (auto bad : {"", "91", "nan", "inf", "1,5", "1e400"})
    CAF_CHECK(throws<usage_error>([&] { parse_real(bad, "lat", -90, 90); }));
}
