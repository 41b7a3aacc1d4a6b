#define CAF_SUITE catalog
#include "actors/shadow/catalog.hpp"

#include <caf/test/dsl.hpp>

#include <random>
#include <set>

using namespace gnomon;

namespace {

/// Pulls until `view` knows what `log` has, as a peer does.
void pull(catalog_view& view, const catalog_log& log, uint64_t& position, bool whole, size_t limit) {
  std::string after;
  for (;;) {
    auto delta = log.delta(position, whole || !after.empty(), after, limit);
    view.apply("a", delta, after.empty());
    if (delta.whole && delta.more) {
      after = delta.rows.back().id;
      continue;
    }
    position = delta.head;
    if (position == log.head())
      return;
  }
}

} // namespace

CAF_TEST(a_peer_that_pulls_now_and_then_knows_what_is_held) {
  std::mt19937 random{7};
  for (auto limit : {1u, 3u, 1000u}) {
    catalog_log log{16};
    catalog_view view;
    uint64_t position = 0;
    for (int step = 0; step < 2000; ++step) {
      log.record({"id" + std::to_string(random() % 40), random() % 2 == 0, random() % 4 == 0});
      if (random() % 10 == 0)
        pull(view, log, position, false, limit);
    }
    pull(view, log, position, false, limit);
    for (int i = 0; i < 40; ++i) {
      auto id = "id" + std::to_string(i);
      CAF_CHECK_EQUAL(view.holders(id).size(), log.holds(id) ? 1u : 0u);
      CAF_CHECK_EQUAL(view.holders(id, true).size(), log.has_value(id) ? 1u : 0u);
    }
  }
}

CAF_TEST(the_last_changes_are_kept_and_some_more) {
  for (auto kept : {1u, 16u, 300u}) {
    recent_rows recent{kept};
    std::vector<catalog_row> all;
    for (uint32_t i = 0; i < 1000; ++i) {
      all.push_back({std::string(i % 40, 'x') + std::to_string(i), i % 3 != 0, i % 5 == 0, i % 7 == 0 ? i : 0});
      recent.add(all.back());
      CAF_REQUIRE(recent.size() >= std::min<size_t>(all.size(), kept));
      CAF_REQUIRE(recent.size() <= 2 * kept);
      for (auto limit : {1u, 7u, 1000u}) {
        auto skipped = i % recent.size();
        auto first = all.end() - static_cast<ptrdiff_t>(recent.size() - skipped);
        auto count = std::min<size_t>(limit, recent.size() - skipped);
        CAF_REQUIRE(recent.behind(skipped, limit)
                    == std::vector<catalog_row>(first, first + static_cast<ptrdiff_t>(count)));
      }
    }
    CAF_CHECK(recent.behind(recent.size(), 10).empty());
    CAF_CHECK(recent.bytes() < 2 * kept * 60);
  }
}

CAF_TEST(a_whole_slice_replaces_what_was_known) {
  catalog_view view;
  view.apply("a", {0, 1, 1, false, false, {{"old", true}}}, true);
  view.apply("b", {0, 1, 1, false, false, {{"old", true}}}, true);
  view.apply("a", {0, 2, 0, true, true, {{"new", true}}}, true);
  view.apply("a", {0, 2, 0, true, false, {{"more", true}}}, false);
  CAF_CHECK_EQUAL(view.holders("old"), std::vector<std::string>{"b"});
  CAF_CHECK_EQUAL(view.holders("new"), std::vector<std::string>{"a"});
  CAF_CHECK_EQUAL(view.holders("more"), std::vector<std::string>{"a"});
}

CAF_TEST(while_a_slice_is_pulled_anew_the_old_rows_stay) {
  catalog_view view;
  view.apply("a", {0, 1, 2, false, false, {{"kept", true}, {"old", true}}}, true);
  for (int attempt = 0; attempt < 2; ++attempt) { // the first one breaks off
    view.apply("a", {0, 2, 0, true, true, {{attempt == 0 ? "passing" : "kept", true}}}, true);
    for (const auto& id : {"kept", "old"}) {
      CAF_CHECK_EQUAL(view.holders(id), std::vector<std::string>{"a"});
      CAF_CHECK(view.holds("a", id));
    }
  }
  view.apply("a", {0, 2, 0, true, false, {{"new", true}}}, false);
  CAF_CHECK_EQUAL(view.holders("kept"), std::vector<std::string>{"a"});
  CAF_CHECK_EQUAL(view.holders("new"), std::vector<std::string>{"a"});
  for (const auto& id : {"old", "passing"}) {
    CAF_CHECK(view.holders(id).empty());
    CAF_CHECK(!view.holds("a", id));
  }
  view.apply("a", {0, 2, 1, false, false, {{"new", false}}}, true);
  CAF_CHECK(view.holders("new").empty());
  view.forget("a");
  CAF_CHECK_EQUAL(view.size(), 0u);
}

CAF_TEST(a_catalog_that_goes_on_tells_only_what_is_new) {
  catalog_log before;
  before.record({"x", true});
  before.record({"y", true, true});
  catalog_log after;
  after.found("y", true);
  after.found("x", false);
  CAF_CHECK_EQUAL(after.digest(), before.digest());
  after.resume(before.head());
  CAF_CHECK_EQUAL(after.head(), 2u);
  CAF_CHECK(!after.delta(2, false, {}, 10).whole);
  CAF_CHECK(after.delta(2, false, {}, 10).rows.empty());
  CAF_CHECK(after.delta(1, false, {}, 10).whole); // what was before is not known any more
  after.record({"x", false});
  auto news = after.delta(2, false, {}, 10);
  CAF_CHECK(!news.whole);
  CAF_CHECK(news.rows == (std::vector<catalog_row>{{"x", false}}));
  CAF_CHECK(after.digest() != before.digest());
}

CAF_TEST(a_repeated_change_gets_no_new_number) {
  catalog_log log;
  CAF_CHECK_EQUAL(log.record({"x", true}), 1u);
  CAF_CHECK_EQUAL(log.record({"x", true}), 1u);
  CAF_CHECK_EQUAL(log.record({"x", false}), 2u);
}

CAF_TEST(a_tombstone_is_a_row_of_its_own) {
  catalog_log log;
  log.record({"x", true});
  auto before = log.digest();
  CAF_CHECK_EQUAL(log.record({"x", true, true}), 2u);
  CAF_CHECK(log.digest() != before);
  CAF_CHECK(log.holds("x"));
  CAF_CHECK(!log.has_value("x"));
  CAF_CHECK_EQUAL(log.record({"x", true}), 3u);
  CAF_CHECK_EQUAL(log.digest(), before);
}

CAF_TEST(a_listener_hears_of_each_id_whose_holders_change) {
  std::multiset<std::string> heard;
  catalog_view view{[&](const std::string& id) { heard.insert(id); }};
  view.apply("a", {0, 1, 1, false, false, {{"x", true}, {"y", true}}}, true);
  CAF_CHECK((heard == std::multiset<std::string>{"x", "y"}));
  heard.clear();
  view.apply("a", {0, 2, 0, true, false, {{"y", true}}}, true); // x is gone
  CAF_CHECK(heard.count("x") > 0);
  CAF_CHECK(view.holders("x").empty());
}

CAF_TEST(peers_hear_how_long_copies_live) {
  catalog_log log;
  catalog_view view;
  uint64_t position = 0;
  log.record({"x", true, false, 500});
  log.record({"y", true});
  pull(view, log, position, false, 10);
  CAF_CHECK_EQUAL(view.first_end("x"), 500u);
  CAF_CHECK_EQUAL(view.first_end("y"), 0u);
  view.apply("b", {0, 1, 1, false, false, {{"x", true, false, 400}, {"y", true, false, 700}}}, true);
  CAF_CHECK_EQUAL(view.first_end("x"), 400u);
  CAF_CHECK_EQUAL(view.first_end("y"), 700u);
  log.record({"x", true, false, 300});
  pull(view, log, position, false, 10);
  CAF_CHECK_EQUAL(view.first_end("x"), 300u);
  pull(view, log, position, true, 1);
  CAF_CHECK_EQUAL(view.first_end("x"), 300u);
  view.forget("a");
  CAF_CHECK_EQUAL(view.first_end("x"), 400u);
}

CAF_TEST(a_lease_that_reads_renew_is_told_twice_in_its_length) {
  catalog_log log;
  int told = 0;
  for (uint32_t now = 1000; now < 2000; ++now) {
    catalog_row row{"x", true, false, now + 100};
    if (log.is_news(row, now)) {
      log.record(row);
      ++told;
    }
    CAF_CHECK(log.find("x")->until > now); // peers never think that it has ended
  }
  CAF_CHECK(told >= 18 && told <= 21);
  CAF_CHECK(log.is_news({"x", true, false, 1500}, 2000)); // it ends earlier than was said
  CAF_CHECK(log.is_news({"x", true, false, 0}, 2000));
  CAF_CHECK(log.is_news({"x", true, true, 2099}, 2000));
  CAF_CHECK(log.is_news({"x", false}, 2000));
  CAF_CHECK(!log.is_news({"x", true, false, log.find("x")->until}, 2000));
}
