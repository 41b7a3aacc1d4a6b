#define CAF_SUITE keys
#include "storage/keys.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace gnomon;
using namespace std::chrono_literals;

namespace {

std::string random_id(std::mt19937& random) {
  static const std::string letters = "ab/\x01\x7F\xC3\xFF";
  std::string id;
  for (auto n = 1 + random() % 4; n > 0; --n)
    id.push_back(letters[random() % letters.size()]);
  return id;
}

bool within(const keys::range& r, const std::string& key) {
  return r.first <= key && key < r.last;
}

template <class F>
void for_random_ids(F f) {
  std::mt19937 random{1};
  for (int i = 0; i < 3000; ++i)
    f(random_id(random), random_id(random), random);
}

} // namespace

CAF_TEST(every_key_names_what_it_was_built_from) {
  for_random_ids([](const std::string& id, const std::string&, std::mt19937& random) {
    dot d{{random(), random()}, random() % 4};
    auto at = timestamp{duration{random()}};
    CAF_REQUIRE(keys::record_id(keys::record(id)) == id);
    auto value = keys::parse_value(keys::value(id, d));
    CAF_REQUIRE(value && value->id == id && value->version == d);
    auto expiry = keys::parse_expiry(keys::expiry(at, id));
    CAF_REQUIRE(expiry && expiry->id == id && expiry->at == at);
  });
}

CAF_TEST(a_key_of_another_kind_or_cut_short_is_not_parsed) {
  dot d{{1, 2}, 3};
  auto value = keys::value("id", d);
  auto expiry = keys::expiry({}, "id");
  for (const auto& key : {std::string{}, std::string{"r"}, std::string{"v"}, std::string{"e"}, value, expiry})
    CAF_CHECK(!keys::record_id(key));
  for (const auto& key :
       {std::string{}, keys::record("id"), value.substr(0, value.size() - 1), expiry, keys::meta("x")})
    CAF_CHECK(!keys::parse_value(key));
  for (const auto& key : {std::string{}, keys::record("id"), value, expiry.substr(0, 9), keys::policy(1, "x")})
    CAF_CHECK(!keys::parse_expiry(key));
}

CAF_TEST(the_record_range_of_a_prefix_holds_the_ids_that_start_with_it_and_come_after) {
  for_random_ids([](const std::string& id, const std::string& other, std::mt19937& random) {
    auto prefix = other.substr(0, random() % 3);
    auto after = random() % 2 ? random_id(random) : std::string{};
    auto expected = id.compare(0, prefix.size(), prefix) == 0 && id > after;
    CAF_REQUIRE_EQUAL(within(keys::records(prefix, after), keys::record(id)), expected);
  });
}

CAF_TEST(the_value_range_of_an_item_holds_its_values_alone) {
  for_random_ids([](const std::string& id, const std::string& other, std::mt19937& random) {
    dot d{{random() % 2 ? UINT64_MAX : 0, 2}, 3};
    CAF_REQUIRE_EQUAL(within(keys::values(id), keys::value(other, d)), id == other);
  });
}

CAF_TEST(the_expiry_index_is_in_order_of_time) {
  for_random_ids([](const std::string& a, const std::string& b, std::mt19937& random) {
    auto early = timestamp{duration{random()}};
    auto late = early + duration{1 + random() % 1'000'000};
    CAF_REQUIRE(keys::expiry(early, a) < keys::expiry(late, b));
    CAF_REQUIRE(within(keys::expiries(early), keys::expiry(early, a)));
    CAF_REQUIRE(!within(keys::expiries(early), keys::expiry(late, b)));
  });
  CAF_CHECK(within(keys::expiries(timestamp::max()), keys::expiry(timestamp::max(), "a")));
}

CAF_TEST(keys_of_different_kinds_never_meet) {
  std::set<std::string> all{keys::record("x"), keys::value("x", {}), keys::expiry({}, "x"), keys::policy(1, "x"),
                            keys::meta("x")};
  CAF_CHECK_EQUAL(all.size(), 5u);
  for (const auto& r : {keys::records(), keys::values("x"), keys::expiries(timestamp::max()), keys::policies()})
    CAF_CHECK_EQUAL(std::count_if(all.begin(), all.end(), [&](const auto& key) { return within(r, key); }), 1);
}

CAF_TEST(a_fence_stands_before_all_values_of_its_item_and_behind_all_records) {
  auto fence = keys::fence("film");
  CAF_CHECK(fence < keys::value("film", dot{{0, 0}, 0}));
  CAF_CHECK(fence > keys::value("fil", dot{{UINT64_MAX, UINT64_MAX}, UINT64_MAX}));
  CAF_CHECK(fence > keys::record("zebra"));
  CAF_CHECK(!keys::parse_value(fence));
}

CAF_TEST(a_hint_is_due_at_its_time_and_when_that_lies_further_ahead_than_any_pause) {
  timestamp now{1'000'000ms};
  CAF_CHECK(keys::hint_due(keys::hint_value({}), now));
  CAF_CHECK(keys::hint_due(keys::hint_value(now), now));
  CAF_CHECK(!keys::hint_due(keys::hint_value(now + 4s, 4s, true), now));
  CAF_CHECK(keys::hint_refused(keys::hint_value(now, 4s, true)) && !keys::hint_refused(keys::hint_value(now, 4s)));
  CAF_CHECK(keys::hint_due(keys::hint_value(now + 12h), now)); // a clock that was wrong
}
