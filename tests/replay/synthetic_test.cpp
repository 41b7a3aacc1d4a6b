#define CAF_SUITE synthetic
#include "runtime/replay/synthetic.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <map>

using namespace gnomon::replay;

namespace {

std::string told(const trace& t) {
  std::string text;
  for (const auto& read : t.reads)
    text += std::to_string(read.t) + t.users[read.user] + t.regions[read.region] + t.items[read.item] + '\n';
  return text;
}

std::vector<uint64_t> popularity(const trace& t) {
  std::vector<uint64_t> counts(t.items.size());
  for (const auto& read : t.reads)
    ++counts[read.item];
  std::sort(counts.rbegin(), counts.rend());
  return counts;
}

} // namespace

CAF_TEST(the_same_seed_gives_the_same_day_and_another_seed_another) {
  auto first = told(synthetic_trace({7, 5'000}));
  CAF_CHECK(first == told(synthetic_trace({7, 5'000})));
  CAF_CHECK(first != told(synthetic_trace({8, 5'000})));
}

CAF_TEST(a_day_has_as_many_reads_as_asked_sorted_within_24_hours_in_five_regions) {
  auto t = synthetic_trace({1, 20'000});
  CAF_CHECK_EQUAL(t.reads.size(), 20'000u);
  CAF_CHECK_EQUAL(t.out_of_order, 0u);
  CAF_CHECK(t.reads.front().t >= 0 && t.reads.back().t < 86'400);
  CAF_CHECK_EQUAL(t.regions.size(), 5u);
}

CAF_TEST(few_stories_get_most_of_the_reads) {
  auto counts = popularity(synthetic_trace({1, 20'000}));
  uint64_t tenth = 0;
  for (size_t i = 0; i < counts.size() / 10; ++i)
    tenth += counts[i];
  CAF_CHECK_EQUAL(counts.size(), 230u);
  CAF_CHECK(tenth > 20'000 * 0.25);
}

CAF_TEST(one_story_is_updated_for_every_twenty_reads_after_its_first) {
  const auto t = synthetic_trace({1, 2'000});
  CAF_CHECK_EQUAL(t.updates.size(), 100u);
  CAF_CHECK(std::is_sorted(t.updates.begin(), t.updates.end(), [](auto& a, auto& b) { return a.t < b.t; }));
  for (const auto& update : t.updates)
    CAF_CHECK(std::any_of(t.reads.begin(), t.reads.end(),
                          [&](auto& read) { return read.item == update.item && read.t <= update.t; }));
}

CAF_TEST(regions_like_different_stories) {
  auto t = synthetic_trace({1, 20'000});
  std::map<std::pair<uint16_t, uint32_t>, int> counts;
  for (const auto& read : t.reads)
    ++counts[{read.region, read.item}];
  std::map<uint16_t, std::pair<int, uint32_t>> favourites;
  for (const auto& [where, count] : counts)
    favourites[where.first] = std::max(favourites[where.first], {count, where.second});
  std::map<uint32_t, int> distinct;
  for (const auto& [region, favourite] : favourites)
    ++distinct[favourite.second];
  CAF_CHECK(distinct.size() >= 3);
}
