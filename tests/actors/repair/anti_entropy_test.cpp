#define CAF_SUITE anti_entropy
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  item_record record(const std::string& name, const std::string& id) {
    return unbox(decode_record(*unbox(nodes[name].database->get(keys::record(id)))));
  }

  /// Changes the record of a node that then starts again: nobody is told.
  template <class F>
  void tamper(const std::string& name, const std::string& id, F change) {
    auto changed = record(name, id);
    change(changed);
    nodes[name].database->entries()[keys::record(id)] = encode(changed);
    restart(name);
  }

  /// Enough time for a round of every node with every other one.
  void compare_all() {
    heartbeats();
    for (int i = 0; i < 4; ++i)
      pass_time(0s);
  }

  uint64_t sum(std::atomic<uint64_t> node_counters::*counter) {
    uint64_t all = 0;
    for (auto& [name, node] : nodes)
      all += (node.context->counters.*counter).load();
    return all;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(anti_entropy_tests, fixture)

CAF_TEST(copies_that_differ_behind_the_back_meet_within_a_round) {
  begin(2, 2);
  std::vector<version_vector> seen;
  for (int i = 0; i < 50; ++i)
    seen.push_back(unbox(put("a", "x/" + std::to_string(i), "old")).context);
  auto backup = nodes["b"].database->entries();
  for (int i = 0; i < 50; i += 5)
    put("a", "x/" + std::to_string(i), "new", seen[static_cast<size_t>(i)]);
  nodes["b"].database->entries() = backup; // as if it came from an older disk
  restart("b");
  CAF_CHECK_EQUAL(value("b", "x/5"), "old");
  compare_all();
  for (int i = 0; i < 50; ++i)
    CAF_CHECK_EQUAL(value("b", "x/" + std::to_string(i)), i % 5 == 0 ? "new" : "old");
}

CAF_TEST(copies_that_kept_different_versions_of_one_past_become_the_same) {
  begin(2, 2);
  put("a", "x", "1");
  put("a", "x", "2");
  CAF_REQUIRE_EQUAL(unbox(get("b", "x")).values.size(), 2u);
  tamper("b", "x", [](item_record& r) { r.versions.resolve_last_writer(); }); // as under another rule for conflicts
  compare_all();
  CAF_CHECK(record("a", "x").versions == record("b", "x").versions);
}

CAF_TEST(nothing_is_exchanged_where_nothing_differs) {
  begin(2, 2);
  for (int i = 0; i < 20; ++i)
    put("a", "x/" + std::to_string(i), "v");
  restart("a");
  compare_all();
  CAF_CHECK(network->asked["compare_trees"] > 0);
  CAF_CHECK_EQUAL(network->asked["compare_leaves"], 0);
  CAF_CHECK_EQUAL(sum(&node_counters::differences), 0u);
  CAF_CHECK(sum(&node_counters::comparisons) > 0u);
}

CAF_TEST(a_holder_that_is_none_leaves_the_record) {
  begin(2, 2);
  put("a", "x", "v");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  tamper("a", "x", [](item_record& r) { r.holders.begin_epoch("c", holder_state::durable); });
  CAF_CHECK(holders("a", "x").state_of("c") == holder_state::durable);
  compare_all();
  CAF_CHECK(holders("a", "x").state_of("c") == holder_state::left);
  CAF_CHECK(holders("a", "x").state_of("b") == holder_state::durable);
}

CAF_TEST(a_holder_that_the_record_misses_is_named_again) {
  begin(2, 2);
  put("a", "x", "v");
  tamper("a", "x", [](item_record& r) { r.holders.begin_epoch("b", holder_state::left); });
  CAF_CHECK(holders("a", "x").state_of("b") == holder_state::left);
  compare_all();
  CAF_CHECK(holders("a", "x").state_of("b") == holder_state::durable);
  CAF_CHECK(holders("b", "x").state_of("b") == holder_state::durable);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
}

CAF_TEST(a_copy_that_one_holder_lost_leaves_the_other_ones_record_or_is_made_anew) {
  begin(2, 2);
  put("a", "x", "v");
  nodes["b"].database = std::make_shared<memory_store>(); // a new disk
  restart("b");
  CAF_CHECK(holders("a", "x").state_of("b") == holder_state::durable);
  auto lost = holders("a", "x").find("b")->epoch;
  compare_all();
  auto made_anew = copies("x").find("b:") != std::string::npos;
  auto there = made_anew ? holders("b", "x").state_of("b") : holder_state::left;
  CAF_CHECK(holders("a", "x").state_of("b") == there);
  CAF_CHECK(!made_anew || holders("a", "x").find("b")->epoch > lost);
}

CAF_TEST(items_begun_twice_and_asleep_meet) {
  begin(1);
  for (const auto& one : names)
    for (const auto& other : names)
      if (one < other)
        network->separate(one, other);
  put("a", "x", "1");
  put("b", "x", "2");
  restart("a"); // nobody is awake, and the catalogs are pulled whole
  restart("b");
  network->heal();
  compare_all();
  compare_all();
  CAF_CHECK_EQUAL(unbox(get("a", "x")).values.size(), 2u);
  CAF_CHECK_EQUAL(unbox(get("b", "x")).values.size(), 2u);
  CAF_CHECK(holders("a", "x").state_of("b") != holder_state::left);
  CAF_CHECK(holders("b", "x").state_of("a") != holder_state::left);
}

CAF_TEST(a_round_that_breaks_off_anywhere_is_made_good_by_the_next) {
  begin(2, 2);
  for (int steps = 0; steps < 40; steps += 3) {
    auto id = "x/" + std::to_string(steps);
    auto old = unbox(put("a", id, "old")).context;
    auto backup = nodes["b"].database->entries();
    put("a", id, "new", old);
    nodes["b"].database->entries() = backup;
    restart("b");
    self->send(nodes["b"].context->handles.get()->anti_entropy, compare_a_v, std::string{"a"});
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    network->separate("a", "b");
    sched.run();
    pass_time(0s);
    network->heal();
    compare_all();
    CAF_CHECK_EQUAL(value("b", id), "new");
  }
}

CAF_TEST(a_node_that_is_cut_off_ends_the_round_and_others_are_compared) {
  begin(2, 2);
  put("a", "x", "v");
  network->separate("a", "b");
  network->separate("a", "c");
  tamper("a", "x", [](item_record& r) { r.holders.begin_epoch("d", holder_state::durable); });
  compare_all();
  CAF_CHECK(holders("a", "x").state_of("d") == holder_state::left);
}

CAF_TEST(a_shadow_that_dies_leaves_the_trees_as_the_store_is) {
  begin(2, 2);
  put("a", "x", "1");
  heartbeats();
  fails_in_shadow<write_receipt>("a", write_of("x", "2")); // it dies somewhere on the way
  compare_all();
  CAF_CHECK_EQUAL(value("a", "x"), value("b", "x"));
  auto leaves = network->asked["compare_leaves"];
  compare_all();
  CAF_CHECK_EQUAL(network->asked["compare_leaves"], leaves);
}

CAF_TEST_FIXTURE_SCOPE_END()
