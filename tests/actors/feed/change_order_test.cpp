#define CAF_SUITE change_order
#include "actors/feed/change_order.hpp"

#include "actors/feed/numbered_log.hpp"
#include "actors/messages/feed_position.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace gnomon;
using namespace std::chrono_literals;

namespace {

const change_order::time start{};

item_step step_of(const version_vector& before, const version_vector& after) {
  return {.id = "x", .before = before, .after = after, .etag = after.to_text()};
}

version_vector plus(version_vector all, uint64_t writer, uint64_t counter) {
  all.add({{writer, 1}, counter});
  return all;
}

} // namespace

CAF_TEST(what_was_told_before_a_gap_is_news_again) {
  change_order order{2000ms};
  auto deleted = plus({}, 1, 1), anew = plus({}, 2, 1), both = plus(anew, 1, 1);
  CAF_CHECK_EQUAL(order.take(step_of({}, deleted), start).size(), 1u);
  CAF_CHECK_EQUAL(order.take(step_of({}, anew), start).size(), 1u); // the deletion was forgotten everywhere
  CAF_CHECK(order.take(step_of(anew, both), start).empty());
  order.begin_anew(); // those who follow it see it as it is: without the deletion, which a snapshot then brings back
  CAF_CHECK_EQUAL(order.take(step_of(anew, both), start).size(), 1u);
}

CAF_TEST(a_step_that_comes_early_waits_for_what_it_builds_on) {
  change_order order{2000ms};
  auto one = plus({}, 1, 1), two = plus(one, 2, 1), three = plus(two, 1, 2);
  CAF_CHECK_EQUAL(order.take(step_of({}, one), start).size(), 1u);
  CAF_CHECK(order.take(step_of(two, three), start).empty());
  auto told = order.take(step_of(one, two), start);
  CAF_REQUIRE_EQUAL(told.size(), 2u);
  CAF_CHECK(told[0].step.after == two);
  CAF_CHECK(told[1].step.after == three);
  CAF_CHECK_EQUAL(told[1].missed, 0u);
  CAF_CHECK(order.overdue(start + 10s).empty());
}

CAF_TEST(what_does_not_come_is_counted) {
  change_order order{2000ms};
  auto one = plus({}, 1, 1), four = plus(plus(plus(one, 1, 2), 2, 1), 2, 2);
  order.take(step_of({}, one), start);
  CAF_CHECK(order.take(step_of(one, four), start).empty()); // several writes at once: each may still come by itself
  CAF_CHECK(order.overdue(start + 1999ms).empty());
  auto told = order.overdue(start + 2000ms);
  CAF_REQUIRE_EQUAL(told.size(), 1u);
  CAF_CHECK_EQUAL(told[0].missed, 2u);
  CAF_CHECK(order.take(step_of(one, plus(one, 1, 2)), start + 3s).empty()); // too late
}

CAF_TEST(an_end_is_told_once_and_not_after_a_new_write) {
  change_order order{2000ms};
  auto one = plus({}, 1, 1), two = plus(one, 1, 2);
  order.take(step_of({}, one), start);
  auto end = step_of(one, one);
  end.expired = true;
  end.etag = "ended";
  CAF_CHECK_EQUAL(order.take(end, start).size(), 1u);
  CAF_CHECK(order.take(end, start).empty());
  order.take(step_of(one, two), start);
  CAF_CHECK(order.take(end, start).empty());
}

/// Three copies take the writes of three writers in different orders, some of them together; what they say arrives in
/// any order between them.
CAF_TEST(in_any_interleaving_each_write_is_told_once_and_none_before_what_it_has_seen) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random{seed};
    std::vector<version_vector> after; // of each write, by the node that took it
    std::vector<version_vector> copies(3);
    std::vector<std::vector<item_step>> says(3);
    std::vector<uint64_t> counters(3, 0);
    for (int i = 0; i < 30; ++i) {
      auto node = random() % 3;
      if (random() % 2 == 0) {
        auto before = copies[node];
        copies[node].add({{node + 1, 1}, ++counters[node]});
        says[node].push_back(step_of(before, copies[node]));
        after.push_back(copies[node]);
      } else if (auto other = random() % 3; !copies[node].covers(copies[other])) {
        auto before = copies[node];
        copies[node].merge(copies[other]);
        says[node].push_back(step_of(before, copies[node]));
      }
    }
    change_order order{2000ms};
    order.take(step_of({}, {}), start);
    std::vector<change_order::told> told;
    std::vector<size_t> next(3, 0);
    for (;;) {
      std::vector<size_t> left;
      for (size_t node = 0; node < 3; ++node)
        if (next[node] < says[node].size())
          left.push_back(node);
      if (left.empty())
        break;
      auto node = left[random() % left.size()];
      for (auto& one : order.take(says[node][next[node]++], start))
        told.push_back(std::move(one));
    }
    for (auto& one : order.overdue(start + 1h))
      told.push_back(std::move(one));
    version_vector seen;
    uint64_t writes = 0;
    for (const auto& one : told) {
      writes += 1 + one.missed;
      CAF_CHECK(!seen.covers(one.step.after));
      if (one.missed == 0)
        CAF_CHECK_EQUAL(one.step.after.beyond(seen), 1u);
      seen.merge(one.step.after);
    }
    CAF_CHECK_EQUAL(writes, after.size());
    auto missed = std::count_if(told.begin(), told.end(), [](const auto& one) { return one.missed > 0; });
    CAF_CHECK_EQUAL(missed, 0); // every node said what it took
  }
}

CAF_TEST(only_so_many_items_are_remembered) {
  change_order order{2000ms, 100};
  for (int i = 0; i < 1000; ++i) {
    auto step = step_of({}, plus({}, 1, 1));
    step.id = std::to_string(i);
    CAF_CHECK_EQUAL(order.take(step, start).size(), 1u);
  }
  auto again = step_of({}, plus({}, 1, 1));
  again.id = "999";
  CAF_CHECK(order.take(again, start).empty());
}

CAF_TEST(writes_beyond_a_context_are_counted) {
  version_vector none, some = plus(plus(plus({}, 1, 1), 1, 2), 2, 5);
  CAF_CHECK_EQUAL(some.beyond(none), 3u);
  CAF_CHECK_EQUAL(some.beyond(some), 0u);
  CAF_CHECK_EQUAL(none.beyond(some), 0u);
  CAF_CHECK_EQUAL(some.beyond(plus({}, 1, 2)), 2u); // the other knows the second write without the first
  std::mt19937 random{7};
  for (int i = 0; i < 500; ++i) {
    version_vector a, b;
    uint64_t count = 0;
    for (uint64_t writer = 1; writer <= 3; ++writer)
      for (uint64_t counter = 1; counter <= 6; ++counter) {
        auto in_a = random() % 2 == 0, in_b = random() % 2 == 0;
        if (in_a)
          a.add({{writer, 1}, counter});
        if (in_b)
          b.add({{writer, 1}, counter});
        count += in_a && !in_b;
      }
    CAF_CHECK_EQUAL(a.beyond(b), count);
  }
}

CAF_TEST(positions_survive_as_text) {
  for (auto present : {feed_position::listing::none, feed_position::listing::living, feed_position::listing::all})
    for (const std::string listed : {"", "a-b", "x/y z%", "\xc3\xa4"}) {
      feed_position position{~0ull, 17, present, present == feed_position::listing::none ? "" : listed};
      auto read = feed_position::from_text(position.to_text());
      CAF_REQUIRE(read);
      CAF_CHECK_EQUAL(read->to_text(), position.to_text());
      CAF_CHECK_EQUAL(read->listed, position.listed);
    }
  for (const auto* text : {"", "1", "-1", "1-", "x-1", "1-2-", "1-2-z", "1-2-a%", "99999999999999999999-1", "1-2-3"})
    CAF_CHECK(!feed_position::from_text(text));
}

CAF_TEST(a_log_knows_how_far_back_it_goes) {
  numbered_log<int> log{3};
  CAF_CHECK(log.goes_back_to(0));
  for (int i = 1; i <= 5; ++i)
    log.add(i);
  CAF_CHECK(!log.goes_back_to(1));
  CAF_CHECK(log.goes_back_to(2));
  CAF_CHECK(!log.goes_back_to(6));
  std::vector<int> found;
  log.each_after(3, [&](uint64_t number, int entry) {
    CAF_CHECK_EQUAL(number, static_cast<uint64_t>(entry));
    found.push_back(entry);
    return true;
  });
  CAF_CHECK(found == (std::vector<int>{4, 5}));
}
