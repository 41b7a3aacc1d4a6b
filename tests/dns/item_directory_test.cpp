#define CAF_SUITE item_directory
#include "runtime/dns/item_directory.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <map>
#include <random>
#include <thread>

using namespace gnomon;
using namespace gnomon::dns;

CAF_TEST(the_directory_says_what_a_map_would_say) {
  item_directory items;
  std::map<int, holding> model;
  std::mt19937 random(22);
  for (int step = 0; step < 60'000; ++step) {
    const auto id = static_cast<int>(random() % 3000);
    const auto item = label_bytes_of(std::to_string(id));
    if (random() % 5 < 2) {
      items.erase(item);
      model.erase(id);
    } else {
      const holding where{.regions = 1 + random() % 100, .until = static_cast<uint32_t>(random())};
      items.set(item, where);
      model[id] = where;
    }
    if (items.size() != model.size())
      CAF_FAIL("another size in step " << step);
    if (step % 2000 != 0)
      continue;
    for (int each = 0; each < 3000; ++each) {
      const auto found = items.find(label_bytes_of(std::to_string(each)));
      const auto expected = model.find(each);
      if (found.has_value() != (expected != model.end()) || (found && !(*found == expected->second)))
        CAF_FAIL("item " << each << " in step " << step);
    }
  }
}

CAF_TEST(a_directory_that_was_cleared_is_as_new) {
  item_directory items;
  for (int id = 0; id < 1000; ++id)
    items.set(label_bytes_of(std::to_string(id)), {.regions = 1});
  items.clear();
  CAF_CHECK_EQUAL(items.size(), 0u);
  CAF_CHECK(!items.find(label_bytes_of("7")));
  items.set(label_bytes_of("7"), {.regions = 2});
  CAF_CHECK_EQUAL(items.find(label_bytes_of("7"))->regions, 2u);
  CAF_CHECK_EQUAL(items.size(), 1u);
}

CAF_TEST(an_item_takes_less_than_64_bytes) {
  item_directory items;
  std::mt19937_64 random(23);
  for (size_t count = 1; count <= 1'000'000; ++count) {
    item_label item;
    for (size_t at = 0; at < item.size(); at += 4) {
      const auto bits = random();
      std::copy_n(reinterpret_cast<const uint8_t*>(&bits), 4, item.begin() + static_cast<std::ptrdiff_t>(at));
    }
    items.set(item, {.regions = 3});
    if (count == 100'000 || count == 300'000 || count == 1'000'000) {
      CAF_MESSAGE(count << " items: " << items.bytes() / count << " bytes each");
      CAF_CHECK(items.bytes() / count < 64);
    }
  }
  CAF_CHECK_EQUAL(items.size(), 1'000'000u);
}

CAF_TEST(readers_see_whole_entries_while_others_write) {
  item_directory items;
  std::atomic<bool> done{false};
  std::atomic<uint64_t> torn{0};
  std::atomic<uint64_t> seen{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 2; ++seed)
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      while (!done) {
        const auto id = random() % 2000;
        if (const auto found = items.find(label_bytes_of(std::to_string(id)))) {
          ++seen;
          if (found->regions != found->until + uint64_t{1})
            ++torn;
        }
      }
    });
  std::mt19937 random(24);
  for (uint32_t step = 0; step < 100'000; ++step) {
    const auto item = label_bytes_of(std::to_string(random() % 2000));
    if (random() % 4 == 0)
      items.erase(item);
    else
      items.set(item, {.regions = step + uint64_t{1}, .until = step});
  }
  done = true;
  for (auto& each : threads)
    each.join();
  CAF_CHECK_EQUAL(torn.load(), 0u);
  CAF_CHECK(seen.load() > 0);
}
