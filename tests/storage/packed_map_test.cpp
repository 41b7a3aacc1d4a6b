#define CAF_SUITE packed_map
#include "storage/packed_map.hpp"

#include <caf/test/dsl.hpp>

#include <map>
#include <random>

using namespace gnomon;

namespace {

using rows = std::map<std::string, std::string>;

rows all_of(const packed_map& table, std::string_view from = {}) {
  rows result;
  std::string before;
  table.each(from, [&](const std::string& id, std::string_view kept) {
    CAF_CHECK(result.empty() || before < id);
    before = id;
    result.emplace(id, kept);
    return true;
  });
  return result;
}

} // namespace

CAF_TEST(it_has_the_rows_of_a_map) {
  std::random_device seed;
  auto first = seed();
  CAF_MESSAGE("seed " << first);
  std::mt19937 random{first};
  packed_map table;
  rows expected;
  for (int step = 0; step < 20000; ++step) {
    // Long ids, ids that begin alike, and ids with any bytes.
    auto id = std::string(random() % 3 == 0 ? random() % 300 : random() % 4, 'a') + std::to_string(random() % 300);
    if (random() % 8 == 0)
      id.push_back(static_cast<char>(random()));
    if (auto grows = step / 4000 % 2 == 0; random() % 8 < (grows ? 6u : 2u)) {
      auto kept = std::string(random() % 5, static_cast<char>(random()));
      table.set(id, kept);
      expected[id] = kept;
    } else {
      CAF_CHECK_EQUAL(table.erase(id), expected.erase(id) > 0);
    }
    auto found = table.find(id);
    auto known = expected.find(id);
    CAF_REQUIRE_EQUAL(found.has_value(), known != expected.end());
    if (found)
      CAF_CHECK_EQUAL(*found, known->second);
    CAF_CHECK_EQUAL(table.size(), expected.size());
    if (step % 1000 == 0) {
      CAF_CHECK(all_of(table) == expected);
      CAF_CHECK(all_of(table, id) == rows(expected.lower_bound(id), expected.end()));
    }
  }
  for (auto i = expected.begin(); i != expected.end();) {
    CAF_CHECK(table.erase(i->first));
    i = expected.erase(i);
  }
  CAF_CHECK_EQUAL(table.size(), 0u);
  CAF_CHECK(all_of(table).empty());
}

CAF_TEST(a_walk_may_begin_and_end_anywhere) {
  packed_map table;
  for (int i = 100; i < 1000; ++i)
    table.set(std::to_string(i), "x");
  std::vector<std::string> seen;
  table.each("4995", [&](const std::string& id, std::string_view) {
    seen.push_back(id);
    return seen.size() < 3;
  });
  CAF_CHECK_EQUAL(seen, (std::vector<std::string>{"500", "501", "502"}));
  CAF_CHECK(all_of(table, "9999").empty());
}

CAF_TEST(all_rows_can_be_changed_at_once) {
  packed_map table;
  rows expected;
  for (int i = 0; i < 1000; ++i)
    table.set(std::to_string(i), std::to_string(i % 7));
  table.rewrite([&](const std::string& id, std::string& kept) {
    if (kept == "3")
      kept = "three";
    else if (kept != "0")
      return id.size() == 2;
    expected[id] = kept;
    return true;
  });
  for (int i = 10; i < 100; ++i)
    expected.try_emplace(std::to_string(i), std::to_string(i % 7));
  CAF_CHECK(all_of(table) == expected);
  CAF_CHECK_EQUAL(table.size(), expected.size());
}

CAF_TEST(a_row_is_small) {
  packed_map in_order, by_hash;
  std::mt19937_64 random{11};
  std::vector<std::string> ids;
  for (int i = 0; i < 20000; ++i)
    ids.push_back("images/" + std::to_string(1000000 + i * 64));
  for (const auto& id : ids)
    in_order.set(id, "12");
  std::shuffle(ids.begin(), ids.end(), random);
  for (const auto& id : ids)
    by_hash.set(id, "12");
  CAF_CHECK_LESS(in_order.bytes() / in_order.size(), 12u);
  CAF_CHECK_LESS(by_hash.bytes() / by_hash.size(), 14u);
  auto bytes = in_order.bytes();
  for (const auto& id : ids)
    in_order.erase(id);
  CAF_CHECK_LESS(in_order.bytes(), bytes / 4);
}
