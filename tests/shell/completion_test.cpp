#define CAF_SUITE completion
#include "runtime/shell/completion.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::shell;

namespace {

using words = std::vector<std::string>;

const completion_sources sources{
    .ids = [](const std::string& prefix) -> words {
      words all;
      for (std::string id : {"news/1", "news/2", "two words", "weather"})
        if (id.starts_with(prefix))
          all.push_back(id);
      return all;
    },
    .types =
        [](const std::string& prefix) { return std::string{"news"}.starts_with(prefix) ? words{"news"} : words{}; },
    .policies =
        [](const std::string& scope) {
          return scope == "user" ? words{"ann"} : scope == "type" ? words{"news", "pages"} : words{};
        },
    .regions =
        [] {
          return words{"eu-central-1", "us-east-1"};
        },
    .nodes =
        [] {
          return words{"eu", "us"};
        },
    .sockets = [] { return words{"run/eu/gnomon.sock"}; },
};

words offered(std::string_view line) {
  return complete(line, sources).candidates;
}

} // namespace

CAF_TEST(the_first_word_is_a_command) {
  CAF_CHECK_EQUAL(offered("st"), words{"status"});
  CAF_CHECK_EQUAL(offered("i"), words{"import"});
  CAF_CHECK(offered("").size() > 10);
}

CAF_TEST(a_command_of_two_words_goes_on) {
  CAF_CHECK_EQUAL(offered("policy "), (words{"del", "get", "list", "set", "show"}));
  CAF_CHECK_EQUAL(offered("shadow "), (words{"create", "drop"}));
  CAF_CHECK_EQUAL(offered("help sta"), words{"status"});
}

CAF_TEST(ids_come_from_the_node_and_are_quoted_where_needed) {
  CAF_CHECK_EQUAL(offered("get news"), (words{"news/1", "news/2"}));
  CAF_CHECK_EQUAL(offered("shadow create w"), words{"weather"});
  CAF_CHECK_EQUAL(offered("get two"), words{"\"two words\""});
  CAF_CHECK_EQUAL(offered("get \"two w"), words{"\"two words\""});
  CAF_CHECK_EQUAL(complete("get \"two w", sources).begin, 4u);
}

CAF_TEST(options_and_their_values_are_offered) {
  CAF_CHECK_EQUAL(offered("put a --n"), words{"--new-sibling"});
  CAF_CHECK_EQUAL(offered("route news/1 --from eu"), words{"eu-central-1"});
  CAF_CHECK_EQUAL(offered("put a --acks "), words{"all"});
  CAF_CHECK_EQUAL(offered("put a --context "), words{});
  CAF_CHECK_EQUAL(offered("route news/1 --from=us"), words{"--from=us-east-1"});
  CAF_CHECK_EQUAL(offered("put a --new-sibling --n"), words{});
  CAF_CHECK_EQUAL(offered("put a --js"), words{"--json"});
  CAF_CHECK_EQUAL(offered("get --user u1 wea"), words{"weather"});
  CAF_CHECK_EQUAL(offered("get a --if"), (words{"--if-changed", "--if-match"}));
  CAF_CHECK_EQUAL(offered("shadow drop news/1 us"), words{"us-east-1"});
  CAF_CHECK_EQUAL(offered("policy show news"), (words{"news/1", "news/2"}));
  CAF_CHECK_EQUAL(offered("report news/1 weather news/2 wea"), words{"weather"});
}

CAF_TEST(scopes_are_offered_for_policies) {
  CAF_CHECK_EQUAL(offered("policy set t"), words{"type"});
}

CAF_TEST(a_policy_is_named_after_its_scope) {
  CAF_CHECK_EQUAL(offered("policy set type "), (words{"news", "pages"}));
  CAF_CHECK_EQUAL(offered("policy set item we"), words{"weather"});
  CAF_CHECK_EQUAL(offered("policy set user "), words{"ann"});
  CAF_CHECK_EQUAL(offered("policy set default "), words{});
  CAF_CHECK_EQUAL(offered("policy set type news "), words{});
  CAF_CHECK_EQUAL(offered("policy del type p"), words{"pages"});
  CAF_CHECK_EQUAL(offered("policy get item "), words{});
}

CAF_TEST(nodes_and_sockets_are_offered) {
  CAF_CHECK_EQUAL(offered("cluster remove e"), words{"eu"});
  CAF_CHECK_EQUAL(offered("connect "), words{"run/eu/gnomon.sock"});
  CAF_CHECK_EQUAL(offered("connect run/eu/gnomon.sock "), words{});
}

CAF_TEST(a_word_ends_at_the_blank_behind_the_cursor) {
  CAF_CHECK_EQUAL(word_end("get news/1 --json", 6), 10u);
  CAF_CHECK_EQUAL(word_end("get news/1", 6), 10u);
  CAF_CHECK_EQUAL(word_end("get \"two words\" x", 6), 15u);
  CAF_CHECK_EQUAL(word_end("get ", 4), 4u);
}

CAF_TEST(the_common_part_is_what_tab_can_add) {
  CAF_CHECK_EQUAL(common_prefix({"news/1", "news/2"}), "news/");
  CAF_CHECK_EQUAL(common_prefix({"a"}), "a");
  CAF_CHECK_EQUAL(common_prefix({}), "");
  CAF_CHECK_EQUAL(common_prefix({"caf\u00e9", "caf\u00e8"}), "caf");
  CAF_CHECK_EQUAL(common_prefix({"\"a\\x1b\"", "\"a\\x1c\""}), "\"a");
  CAF_CHECK_EQUAL(common_prefix({"\"a\\nb\"", "\"a\\tb\""}), "\"a");
  CAF_CHECK_EQUAL(common_prefix({"\"a\\nb\"", "\"a\\nc\""}), "\"a\\n");
}
