#define CAF_SUITE read_index
#include "actors/node/read_index.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <random>
#include <thread>

using namespace gnomon;

namespace {

std::shared_ptr<index_entry> entry(std::string id, size_t value_bytes = 1000) {
  auto e = std::make_shared<index_entry>();
  e->versions.id = std::move(id);
  e->versions.values.emplace_back(std::string(value_bytes, 'x'));
  return e;
}

std::string hot(int i) {
  return "hot/" + std::to_string(i);
}

} // namespace

CAF_TEST(what_was_put_is_found_until_it_is_erased_or_replaced) {
  read_index index{1u << 20};
  auto first = entry("a"), second = entry("a", 10);
  CAF_CHECK(!index.find("a"));
  index.put(first);
  CAF_CHECK(index.find("a") == first);
  CAF_CHECK_EQUAL(index.bytes(), first->bytes());
  index.put(second);
  CAF_CHECK(index.find("a") == second);
  CAF_CHECK(index.peek("a") == second);
  CAF_CHECK_EQUAL(index.size(), 1u);
  CAF_CHECK_EQUAL(index.bytes(), second->bytes());
  first.reset();
  CAF_CHECK(index.find("a"));
  index.erase("a");
  index.erase("a");
  CAF_CHECK(!index.find("a"));
  CAF_CHECK_EQUAL(index.bytes(), 0u);
}

CAF_TEST(what_nobody_has_found_is_let_go_from_an_index_that_fills) {
  read_index large{1u << 20};
  large.put(entry("written"));
  large.let_go("written");
  CAF_CHECK(large.peek("written"));
  read_index index{16 * 6000};
  index.put(entry("read"));
  index.put(entry("written"));
  index.find("read");
  index.peek("written"); // the shadow's own look is no read
  for (auto id : {"read", "written", "absent"})
    index.let_go(id);
  CAF_CHECK(index.peek("read"));
  CAF_CHECK(!index.peek("written"));
  index.put(entry("read"));
  index.let_go("read"); // a new version of what is read
  CAF_CHECK(index.peek("read"));
}

CAF_TEST(an_entry_larger_than_a_part_is_not_kept_nor_is_the_one_before) {
  read_index index{160'000};
  index.put(entry("a", 100));
  index.put(entry("b", 20'000));
  index.put(entry("a", 20'000));
  CAF_CHECK(!index.find("a"));
  CAF_CHECK(!index.find("b"));
  read_index none{0};
  none.put(entry("a"));
  CAF_CHECK_EQUAL(none.size(), 0u);
}

CAF_TEST(the_bytes_never_exceed_the_bound_and_always_add_up) {
  constexpr uint64_t bound = 400'000;
  read_index index{bound};
  std::mt19937 random{1};
  for (int step = 0; step < 10'000; ++step) {
    auto id = "item/" + std::to_string(random() % 600);
    switch (random() % 8) {
    case 0:
      index.erase(id);
      break;
    case 1:
    case 2:
      index.put(entry(id, random() % 5000));
      break;
    default:
      index.find(id);
    }
    CAF_REQUIRE(index.bytes() <= bound);
  }
  uint64_t sum = 0, count = 0;
  for (int i = 0; i < 600; ++i)
    if (auto e = index.peek("item/" + std::to_string(i))) {
      sum += e->bytes();
      ++count;
    }
  CAF_CHECK_EQUAL(index.bytes(), sum);
  CAF_CHECK_EQUAL(index.size(), count);
  CAF_CHECK(sum > bound / 2);
  index.clear();
  CAF_CHECK_EQUAL(index.bytes() + index.size(), 0u);
}

CAF_TEST(a_scan_does_not_push_out_what_is_read_again) {
  read_index index{4u << 20};
  for (int i = 0; i < 1000; ++i)
    index.put(entry(hot(i)));
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 1000; ++i)
      index.find(hot(i));
  for (int i = 0; i < 30'000; ++i)
    index.put(entry("scanned/" + std::to_string(i)));
  int kept = 0;
  for (int i = 0; i < 1000; ++i)
    kept += index.peek(hot(i)) != nullptr;
  CAF_MESSAGE(kept << " of 1000 hot entries are left");
  CAF_CHECK(kept > 990);
}

CAF_TEST(what_comes_back_soon_after_its_eviction_stays) {
  read_index index{1400u << 10};
  auto scan = [&, n = 0](int count) mutable {
    for (int i = 0; i < count; ++i)
      index.put(entry("scanned/" + std::to_string(n++)));
  };
  scan(2000);
  index.put(entry("back"));
  scan(1200);
  CAF_REQUIRE(!index.peek("back"));
  index.put(entry("back"));
  scan(600);
  CAF_CHECK(index.peek("back"));
}

CAF_TEST(many_threads_may_use_it_at_once) {
  constexpr uint64_t bound = 300'000;
  read_index index{bound};
  std::atomic<bool> wrong{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random{t};
      for (int step = 0; step < 10'000; ++step) {
        auto id = "item/" + std::to_string(random() % 500);
        auto what = random() % 64;
        if (what == 0)
          index.erase(id);
        else if (what < 10)
          index.put(entry(id, random() % 3000));
        else if (what == 10 && t == 0 && step % 50 == 0)
          index.clear();
        else if (auto e = index.find(id); e && e->versions.id != id)
          wrong = true;
        if (step % 100 == 0 && index.bytes() > bound)
          wrong = true;
      }
    });
  for (auto& thread : threads)
    thread.join();
  CAF_CHECK(!wrong);
}

CAF_TEST(a_hit_is_cheap) {
  read_index index{64u << 20};
  for (int i = 0; i < 10'000; ++i)
    index.put(entry(hot(i), 100));
  std::vector<std::string> ids;
  for (int i = 0; i < 10'000; ++i)
    ids.push_back(hot(i));
  auto start = std::chrono::steady_clock::now();
  size_t hits = 0;
  for (int round = 0; round < 20; ++round)
    for (const auto& id : ids)
      hits += index.find(id) != nullptr;
  auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
  CAF_CHECK_EQUAL(hits, 200'000u);
  CAF_MESSAGE("a hit takes " << nanos / static_cast<int64_t>(hits) << " ns");
}
