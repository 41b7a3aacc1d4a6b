#define CAF_SUITE ids
#include "runtime/base/ids.hpp"

#include "runtime/base/id_rules.hpp"

#include <caf/test/dsl.hpp>

#include <vector>

using namespace gnomon;

CAF_TEST(an_id_may_hold_slashes_spaces_and_any_script) {
  for (auto id : {"a", "news/eu/1 2", "ключ/値", "%00"})
    CAF_CHECK(checked_id(id));
}

CAF_TEST(an_id_without_bytes_with_too_many_with_nul_or_with_broken_utf8_is_refused) {
  CAF_CHECK_EQUAL(code_of(checked_id("").error()), ec::invalid_argument);
  CAF_CHECK(checked_id(std::string(1024, 'x')));
  for (const std::string bad : {".", "..", "a/..", "a/./b", "../a", "a//../b", "%2e", "a/.%2E/b", "/.."}) {
    CAF_CHECK_EQUAL(code_of(checked_id(bad).error()), ec::invalid_argument);
    CAF_CHECK_EQUAL(checked_known_id(bad).value(), bad);
  }
  for (const std::string good : {"...", "a..b", ".a", "a./b", "%2e%2e%2e", "a/.b", "%2f..%2f"})
    CAF_CHECK(checked_id(good));
  CAF_CHECK_EQUAL(code_of(checked_id(std::string(1025, 'x')).error()), ec::too_large);
  CAF_CHECK_EQUAL(code_of(checked_id(std::string("a\0b", 3)).error()), ec::invalid_argument);
  for (auto bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF", "\x80"})
    CAF_CHECK_EQUAL(code_of(checked_id(bad).error()), ec::invalid_argument);
}

CAF_TEST(the_data_type_is_what_stands_before_the_first_slash) {
  CAF_CHECK_EQUAL(data_type("news/eu/1"), "news");
  CAF_CHECK_EQUAL(data_type("news"), "news");
  CAF_CHECK_EQUAL(data_type("/x"), "");
}

CAF_TEST(shards_and_rendezvous_order_never_change_between_versions) {
  CAF_CHECK_EQUAL(stable_hash("gnomon"), stable_hash("gnomon"));
  std::vector<size_t> counts(shard_count);
  for (int i = 0; i < 64'000; ++i)
    ++counts[shard_of("item/" + std::to_string(i))];
  for (auto n : counts)
    CAF_CHECK(n > 850 && n < 1150);
}
