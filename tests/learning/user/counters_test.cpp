#define CAF_SUITE counters
#include "learning/user/candidates.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

struct fixture {
  counters counts{small()};
  user_record user;

  static counter_config small() {
    counter_config config;
    config.pair_rows = 1 << 10;
    return config;
  }

  void read(uint32_t item, uint32_t time = 1000) {
    counts.observe(user.history, item, 0, time);
    user.history.push({item, time});
  }
};

float weight(const counters::first_row* row, uint32_t item) {
  for (size_t k = 0; row != nullptr && k < row->used; ++k)
    if (row->items[k] == item)
      return row->weights[k];
  return 0;
}

} // namespace

CAF_TEST(names_become_dense_numbers_until_the_table_is_full) {
  id_table table{2};
  CAF_CHECK_EQUAL(table.index_of("a"), 0u);
  CAF_CHECK_EQUAL(table.index_of("b"), 1u);
  CAF_CHECK_EQUAL(table.index_of("a"), 0u);
  CAF_CHECK_EQUAL(table.index_of("c"), no_index);
  CAF_CHECK_EQUAL(table.find("c"), no_index);
  CAF_CHECK_EQUAL(table.name(1), "b");
}

CAF_TEST(a_history_keeps_the_last_fifty_accesses_newest_first) {
  user_history history;
  for (uint32_t k = 0; k < 120; ++k)
    history.push({k, k});
  CAF_CHECK_EQUAL(history.size(), user_history::kept);
  CAF_CHECK_EQUAL(history.total(), 120u);
  CAF_CHECK_EQUAL(history.ago(0).item, 119u);
  CAF_CHECK_EQUAL(history.ago(49).item, 70u);
  CAF_CHECK(history.read_lately(110, 10));
  CAF_CHECK(!history.read_lately(109, 10));
}

CAF_TEST(users_beyond_the_limit_replace_those_unseen_for_long) {
  history_store store{100};
  for (int k = 0; k < 100; ++k)
    store.touch("old" + std::to_string(k)).history.push({1, 1});
  for (int k = 0; k < 60; ++k) {
    store.touch("new" + std::to_string(k)).history.push({2, 2});
    store.touch("old7").history.push({3, 3});
  }
  CAF_CHECK_EQUAL(store.size(), 100u);
  CAF_CHECK(store.find("old7") != nullptr);
  CAF_CHECK(store.find("new59") != nullptr);
  CAF_CHECK(store.forget("old7"));
  CAF_CHECK(!store.forget("old7"));
  CAF_CHECK(store.find("old7") == nullptr);
  CAF_CHECK(store.touch("old7").history.empty());
}

CAF_TEST_FIXTURE_SCOPE(counting, fixture)

CAF_TEST(successors_pairs_and_neighbours_are_counted) {
  for (int round = 0; round < 5; ++round)
    for (uint32_t item : {1, 2, 3})
      read(item);
  CAF_CHECK_GREATER(weight(counts.after(1), 2), 4.9f);
  CAF_CHECK_EQUAL(weight(counts.after(1), 3), 0.0f);
  CAF_REQUIRE(counts.after_pair(1, 2) != nullptr);
  CAF_CHECK_EQUAL(counts.after_pair(1, 2)->items[0], 3u);
  CAF_CHECK(counts.after_pair(2, 1) == nullptr);
  CAF_CHECK_EQUAL(counts.near(1)->used, 2u);
  CAF_CHECK_EQUAL(counts.before(1)->used, 2u);
  CAF_CHECK_EQUAL(counts.near_total(1), counts.near(1)->total);
}

CAF_TEST(a_full_row_keeps_what_is_frequent) {
  counters::pair_row row;
  for (int round = 0; round < 200; ++round) {
    row.add(1, 1, 0.998f);
    row.add(100 + static_cast<uint32_t>(round), 1, 0.998f);
  }
  CAF_CHECK_EQUAL(row.used, 8u);
  CAF_CHECK(std::find(row.items.begin(), row.items.end(), 1u) != row.items.end());
}

CAF_TEST(popularity_fades_and_its_leaders_are_exact) {
  decayed_weights weights{100};
  for (int k = 0; k < 50; ++k)
    weights.add(7, k);
  for (uint32_t item = 0; item < 200; ++item)
    weights.add(item, 1000 + item);
  CAF_CHECK_EQUAL(weights.leaders().size(), decayed_weights::leaders_kept);
  CAF_CHECK_EQUAL(weights.leaders()[0], 199u);
  double sum = 0;
  for (uint32_t item = 0; item < 200; ++item)
    sum += weights.share(item);
  CAF_CHECK(std::abs(sum - 1) < 1e-3);
  for (size_t k = 1; k < weights.leaders().size(); ++k)
    CAF_CHECK(weights.share(weights.leaders()[k - 1]) >= weights.share(weights.leaders()[k]));
  weights.add(3, 1e6); // far ahead: everything is scaled down, nothing overflows
  CAF_CHECK(std::abs(weights.share(3) - 1) < 1e-3);
}

CAF_TEST(forgetting_a_user_takes_back_what_the_history_added) {
  for (uint32_t item : {1, 2, 3, 1, 2, 3})
    read(item);
  counts.forget(user.history);
  CAF_CHECK_LESS(weight(counts.after(1), 2), 0.05f);
  CAF_CHECK_LESS(weight(counts.after(3), 1), 0.05f);
  CAF_CHECK_LESS(counts.near(1)->total, 0.05f);
  CAF_CHECK_LESS(counts.after_pair(1, 2)->total, 0.05f);
}

CAF_TEST(candidates_come_from_all_sources_once_each_and_carry_their_features) {
  for (int round = 0; round < 10; ++round)
    for (uint32_t item : {1, 2, 3, 4})
      read(item, 1000 + static_cast<uint32_t>(round) * 60);
  auto set = std::make_unique<candidate_set>();
  find_candidates(counts, {}, user, nullptr, {}, *set);
  CAF_CHECK_EQUAL(set->size(), 4u);
  const auto next = set->position(1), other = set->position(3);
  CAF_REQUIRE(next != candidate_set::capacity);
  CAF_CHECK_EQUAL(set->position(99), candidate_set::capacity);
  CAF_CHECK_GREATER(set->column(feature::first_share)[next], 0.7f);
  CAF_CHECK_EQUAL(set->column(feature::first_share)[other], 0.0f);
  CAF_CHECK_GREATER(set->column(feature::own_successor)[next], 0.5f);
  CAF_CHECK_EQUAL(set->column(feature::is_current)[set->position(4)], 1.0f);
  CAF_CHECK_EQUAL(set->column(feature::was_read)[other], 1.0f);
  for (size_t f = 0; f < feature_count; ++f)
    for (size_t j = 0; j < set->size(); ++j)
      CAF_CHECK(std::isfinite(set->column(static_cast<feature>(f))[j]));
}

CAF_TEST(candidates_never_exceed_their_room) {
  std::mt19937_64 random{1};
  for (uint32_t k = 0; k < 20'000; ++k)
    read(static_cast<uint32_t>(random() % 400));
  auto set = std::make_unique<candidate_set>();
  find_candidates(counts, {}, user, nullptr, {}, *set);
  CAF_CHECK(set->size() <= candidate_set::capacity);
  CAF_CHECK_GREATER(set->size(), 150u);
  for (size_t j = 0; j < set->size(); ++j)
    CAF_CHECK_EQUAL(set->position(set->item(j)), j);
}

CAF_TEST(counters_survive_being_saved) {
  for (uint32_t k = 0; k < 200; ++k)
    read(k % 7, 1000 + 100 * k);
  writer items, pairs;
  for (uint32_t k = 0; k < 7; ++k)
    counts.save_item(items, k, counts.now());
  for (size_t k = 0; k < counts.pair_places(); ++k)
    counts.save_pair(pairs, k);
  const auto item_bytes = items.take(), pair_bytes = pairs.take();
  counters loaded{small()};
  loaded.begin_loading(counts.now(), counts.regions());
  reader in{item_bytes}, pairs_in{pair_bytes};
  for (uint32_t k = 0; k < 7; ++k)
    loaded.load_item(in, k);
  while (pairs_in.good() && !pairs_in.at_end())
    loaded.load_pair(pairs_in);
  CAF_CHECK(in.good() && in.at_end() && pairs_in.good());
  CAF_CHECK_EQUAL(weight(loaded.after(3), 4), weight(counts.after(3), 4));
  CAF_CHECK_EQUAL(loaded.fast().leaders(), counts.fast().leaders());
  CAF_REQUIRE(loaded.after_pair(2, 3) != nullptr);
  CAF_CHECK_EQUAL(loaded.after_pair(2, 3)->total, counts.after_pair(2, 3)->total);
  for (uint32_t k = 0; k < 7; ++k)
    CAF_CHECK_LESS(std::abs(loaded.trend().share(k) - counts.trend().share(k)), 1e-5f);
  reader cut{std::string_view{item_bytes}.substr(0, item_bytes.size() / 2)};
  counters half{small()};
  half.begin_loading(counts.now(), counts.regions());
  for (uint32_t k = 0; k < 7; ++k)
    half.load_item(cut, k);
  CAF_CHECK(!cut.good());
}

CAF_TEST(what_is_erased_is_named_by_no_row_once_all_are_swept) {
  for (uint32_t k = 0; k < 200; ++k)
    read(k % 7, 1000 + 100 * k);
  std::vector<bool> gone(7);
  gone[3] = true;
  counts.erase(3);
  counts.sweep(gone, 0, counts.rows());
  for (uint32_t k = 0; k < 7; ++k)
    CAF_CHECK_EQUAL(weight(counts.after(k), 3), 0.0f);
  CAF_CHECK(counts.after_pair(2, 3) == nullptr);
  CAF_CHECK(counts.after_pair(1, 2)->used == 0);
  CAF_CHECK_GREATER(weight(counts.after(4), 5), 0.0f);
  CAF_CHECK_EQUAL(counts.fast().share(3), 0.0f);
}

CAF_TEST_FIXTURE_SCOPE_END()
