#define CAF_SUITE hash_tree
#include "storage/hash_tree.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <random>

using namespace gnomon;

namespace {

constexpr uint32_t all_leaves = tree_leaves;

copy_note note(std::string id, uint64_t digest, std::vector<std::string> peers, bool steward = false) {
  return {std::move(id), true, digest, std::move(peers), steward};
}

/// The leaves where the trees of two nodes towards each other differ, found from the top down.
std::vector<uint32_t> descend(const copy_trees& a, const copy_trees& b) {
  std::vector<uint32_t> blocks{0};
  for (uint32_t level = 0; level < 3; ++level) {
    std::vector<uint32_t> next;
    for (auto block : blocks)
      for (auto place : places_of(level, block, differing(a.block("b", level, block), b.block("a", level, block))))
        next.push_back(place);
    blocks = std::move(next);
  }
  return blocks;
}

item_record record_of(std::string id, bool deleted) {
  item_record record;
  record.id = std::move(id);
  sibling version;
  version.deleted = deleted;
  record.versions.write({}, {1, 1}, version);
  record.holders.begin_epoch("a", holder_state::durable);
  record.holders.begin_epoch("b", holder_state::shadow);
  return record;
}

} // namespace

CAF_TEST(the_same_copies_make_the_same_tree_in_any_order) {
  std::mt19937 random{7};
  for (int round = 0; round < 20; ++round) {
    std::vector<copy_note> notes;
    for (int i = 0; i < 200; ++i)
      notes.push_back(note("item/" + std::to_string(random() % 150), random() + 1, {"b"}));
    std::map<std::string, copy_note> last;
    copy_trees a, b;
    for (const auto& n : notes) {
      a.set(n);
      last[n.id] = n;
    }
    std::vector<copy_note> shuffled;
    for (const auto& [id, n] : last)
      shuffled.push_back(n);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    for (auto n : shuffled) {
      n.peers = {"a"};
      b.set(n);
      b.set(n); // said twice
    }
    CAF_CHECK(descend(a, b).empty());
  }
}

CAF_TEST(what_differs_is_found_and_nothing_else) {
  std::mt19937 random{11};
  for (int round = 0; round < 20; ++round) {
    copy_trees a, b;
    for (int i = 0; i < 3000; ++i) {
      auto id = "item/" + std::to_string(i);
      a.set(note(id, stable_hash(id) | 1, {"b", "c"}));
      b.set(note(id, stable_hash(id) | 1, {"a"}));
    }
    std::set<uint32_t> expected;
    for (int i = 0; i < 10; ++i) {
      auto id = "item/" + std::to_string(random() % 3000);
      expected.insert(leaf_of(id));
      switch (random() % 4) {
      case 0:
        a.set(note(id, random() | 1, {"b"}));
        break; // another context
      case 1:
        b.set({id, false, 0, {}, false});
        break; // one side lost it
      case 2:
        a.set(note(id, stable_hash(id) | 1, {"c"}));
        break; // one side does not name the other
      default:
        b.set(note(id + "x", 5, {"a"})), expected.insert(leaf_of(id + "x")), expected.erase(leaf_of(id));
      }
    }
    auto found = descend(a, b);
    for (auto leaf : found)
      CAF_CHECK(expected.count(leaf) > 0);
    CAF_CHECK(!found.empty());
  }
}

CAF_TEST(a_tombstone_counts_like_no_copy) {
  auto live = note_of(record_of("x", false), "a");
  auto dead = note_of(record_of("x", true), "a");
  CAF_CHECK_NOT_EQUAL(live.digest, 0u);
  CAF_CHECK_EQUAL(dead.digest, 0u);
  CAF_CHECK_EQUAL(live.peers, std::vector<std::string>{"b"});
  copy_trees a, empty;
  a.set(live);
  CAF_CHECK_EQUAL(descend(a, empty), std::vector<uint32_t>{leaf_of("x")});
  a.set(dead);
  CAF_CHECK(descend(a, empty).empty());
  CAF_CHECK_EQUAL(a.tombstones(), 1u);
  a.set({"x", false, 0, {}, false});
  CAF_CHECK_EQUAL(a.tombstones(), 0u);
}

CAF_TEST(what_expired_is_a_tombstone_too) {
  auto record = record_of("x", false);
  CAF_CHECK(!is_tombstone(record.versions));
  record.versions.siblings.clear();
  CAF_CHECK(is_tombstone(record.versions));
  CAF_CHECK(!is_tombstone(version_set{}));
}

CAF_TEST(only_the_steward_has_to_reap) {
  auto record = record_of("x", true);
  record.holders.begin_epoch("b", holder_state::durable);
  auto steward = reaper_of(record);
  auto ranked = record.holders.durable_by_rank("x");
  CAF_CHECK_EQUAL(steward, ranked.front());
  CAF_CHECK_EQUAL(note_of(record, "a").steward, steward == "a");
  CAF_CHECK_EQUAL(note_of(record, "b").steward, steward == "b");
  for (auto node : {"a", "b"})
    record.holders.begin_epoch(node, holder_state::shadow);
  CAF_CHECK(!reaper_of(record).empty());
  CAF_CHECK_NOT_EQUAL(note_of(record, "a").steward, note_of(record, "b").steward);
}

CAF_TEST(tombstones_come_up_for_reaping_in_turn) {
  copy_trees trees;
  for (auto id : {"a", "b", "c"})
    trees.set(note(id, 0, {"n"}, true));
  trees.set(note("d", 0, {"n"}, false));
  CAF_CHECK_EQUAL(trees.to_reap("", 2), (std::vector<std::string>{"a", "b"}));
  CAF_CHECK_EQUAL(trees.to_reap("b", 2), (std::vector<std::string>{"c", "a"}));
  CAF_CHECK_EQUAL(trees.to_reap("c", 9), (std::vector<std::string>{"a", "b", "c"}));
  trees.set({"b", false, 0, {}, false});
  CAF_CHECK_EQUAL(trees.to_reap("a", 9), (std::vector<std::string>{"c", "a"}));
}

CAF_TEST(a_tree_knows_what_it_was_told) {
  copy_trees trees;
  auto n = note("x", 5, {"b"});
  CAF_CHECK(!trees.knows(n));
  trees.set(n);
  CAF_CHECK(trees.knows(n));
  CAF_CHECK(!trees.knows(note("x", 6, {"b"})));
  CAF_CHECK(!trees.knows(note("x", 5, {"b", "c"})));
  CAF_CHECK(!trees.knows({"x", false, 0, {}, false}));
  CAF_CHECK(trees.knows({"y", false, 0, {}, false}));
  CAF_CHECK(trees.hides_from("c", "x"));
  CAF_CHECK(!trees.hides_from("b", "x"));
  CAF_CHECK(!trees.hides_from("c", "y"));
}

CAF_TEST(every_id_has_its_leaf_in_its_shard) {
  for (int i = 0; i < 1000; ++i) {
    auto id = std::to_string(i);
    CAF_CHECK(leaf_of(id) < all_leaves);
    CAF_CHECK_EQUAL(shard_of_leaf(leaf_of(id)), shard_of(id));
  }
}

CAF_TEST(blocks_from_strangers_do_no_harm) {
  copy_trees trees;
  trees.set(note("x", 5, {"b"}));
  CAF_CHECK(trees.block("b", 3, 0).empty());
  CAF_CHECK(trees.block("b", 0, 1).empty());
  CAF_CHECK(trees.block("b", 2, 2048).empty());
  CAF_CHECK(trees.block("b", 2, UINT32_MAX).empty());
  CAF_CHECK_EQUAL(differing(trees.block("b", 0, 0), {}), UINT64_MAX);
  CAF_CHECK_EQUAL(differing({}, std::vector<uint64_t>(100, 1)), 0u);
}
