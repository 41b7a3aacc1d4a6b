#define CAF_SUITE snapshot
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  /// What a snapshot of node `name` has of the item.
  item_copy saved(const std::string& name, const std::string& id) {
    fetch_item question;
    question.id = id;
    auto copy = unbox(ask<item_copy>(name, question));
    copy.holders = {};
    return copy;
  }

  std::string load(const std::string& name, const item_copy& copy, bool dry_run = false) {
    static const char* names[] = {"restored", "merged", "known", "expired"};
    auto receipt = ask<load_receipt>(name, load_item{copy, dry_run});
    return receipt ? names[static_cast<int>(receipt->outcome)] : sentence_of(receipt.error());
  }

  /// All nodes start anew with empty disks.
  void lose_everything() {
    for (const auto& name : names)
      lose(name);
    connect(nodes, sys, network, names);
    sched.run();
  }

  void lose(const std::string& name) {
    nodes[name].stop();
    sched.run();
    nodes[name].database = std::make_shared<memory_store>();
    boot(name);
  }

  expected<write_receipt> del(const std::string& name, const std::string& id) {
    write_item w;
    w.id = id;
    w.deleted = true;
    return ask<write_receipt>(name, w);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(snapshot_tests, fixture)

CAF_TEST(an_item_comes_back_with_all_its_versions_after_every_disk_was_lost) {
  begin();
  put("a", "s/1", "one");
  put("a", "s/1", "two");
  auto copy = saved("a", "s/1");
  lose_everything();
  CAF_CHECK_EQUAL(value("b", "s/1"), "not-found");
  CAF_CHECK_EQUAL(load("c", copy), "restored");
  CAF_CHECK_EQUAL(value("c", "s/1"), "one|two");
  CAF_CHECK(saved("c", "s/1").versions == copy.versions);
  pass_time(3s);
  CAF_CHECK_EQUAL(holders("c", "s/1").current().size(), 2u); // the factor
  CAF_CHECK_EQUAL(load("c", copy), "known");
}

CAF_TEST(a_write_after_a_restore_gets_a_dot_that_no_version_ever_had) {
  begin();
  auto first = unbox(put("a", "s/1", "one"));
  auto copy = saved("a", "s/1");
  auto lost = unbox(put("a", "s/1", "lost", first.context)); // after the snapshot
  lose_everything();
  load("a", copy);
  auto next = unbox(put("a", "s/1", "three", first.context));
  CAF_CHECK(!lost.context.covers(next.context));
  CAF_CHECK(!next.context.covers(lost.context));
}

CAF_TEST(what_is_newer_is_never_replaced) {
  begin();
  auto first = unbox(put("a", "s/1", "old"));
  auto copy = saved("a", "s/1");
  put("a", "s/1", "new", first.context);
  for (const auto& name : names) {
    CAF_CHECK_EQUAL(load(name, copy), "known");
    CAF_CHECK_EQUAL(value(name, "s/1"), "new");
  }
}

CAF_TEST(a_lost_write_comes_back_beside_what_was_written_since) {
  begin(1);
  put("a", "s/1", "one");
  auto copy = saved("a", "s/1");
  lose_everything();
  put("b", "s/1", "two");
  heartbeats();
  CAF_CHECK_EQUAL(load("d", copy, true), "merged");
  CAF_CHECK_EQUAL(load("d", copy), "merged");
  CAF_CHECK_EQUAL(copies("s/1"), "b:durable"); // it went to where the item is
  auto both = value("b", "s/1");
  CAF_CHECK(both == "one|two" || both == "two|one");
}

CAF_TEST(a_deleted_item_stays_deleted_as_long_as_a_tombstone_stands) {
  begin(1);
  put("a", "s/1", "one");
  auto copy = saved("a", "s/1");
  del("a", "s/1");
  for (const auto& name : names) {
    CAF_CHECK_EQUAL(load(name, copy), "known");
    CAF_CHECK_EQUAL(value(name, "s/1"), name == "a" ? "" : "gone"); // the holder answers with the tombstone itself
  }
}

CAF_TEST(a_tombstone_is_part_of_a_snapshot_and_outweighs_older_ones) {
  begin(1);
  put("a", "s/1", "one");
  auto before = saved("a", "s/1");
  del("a", "s/1");
  auto listed = unbox(ask<item_page>("a", list_items{{}, {}, 10, true}));
  CAF_CHECK_EQUAL(listed.items.size(), 1u);
  CAF_CHECK(unbox(ask<item_page>("a", list_items{{}, {}, 10})).items.empty());
  auto after = saved("a", "s/1");
  lose_everything();
  CAF_CHECK_EQUAL(load("a", after), "restored");
  CAF_CHECK_EQUAL(load("b", before), "known");
  CAF_CHECK_EQUAL(value("b", "s/1"), "gone");
}

CAF_TEST(a_deleted_and_forgotten_item_begins_again_and_is_called_restored) {
  begin(1);
  put("a", "s/1", "one");
  auto copy = saved("a", "s/1");
  del("a", "s/1");
  lose("a");
  connect(nodes, sys, network, names);
  CAF_CHECK_EQUAL(load("a", copy, true), "restored");
  CAF_CHECK_EQUAL(load("a", copy), "restored");
  CAF_CHECK_EQUAL(value("a", "s/1"), "one");
}

CAF_TEST(a_dry_run_changes_nothing) {
  begin(1);
  put("a", "s/1", "one");
  auto copy = saved("a", "s/1");
  CAF_CHECK_EQUAL(load("b", copy, true), "known");
  lose_everything();
  CAF_CHECK_EQUAL(load("b", copy, true), "restored");
  CAF_CHECK_EQUAL(copies("s/1"), "");
}

CAF_TEST(versions_that_have_expired_are_left_out) {
  begin(1);
  write_item w;
  w.id = "s/1";
  w.value = blob{"short"};
  w.expires = time->now() + 10s;
  ask<write_receipt>("a", w);
  put("a", "s/1", "long");
  auto copy = saved("a", "s/1");
  lose_everything();
  time->advance(20s);
  CAF_CHECK_EQUAL(load("a", copy), "restored");
  CAF_CHECK_EQUAL(value("a", "s/1"), "long");
  copy.id = "s/2";
  std::erase_if(copy.versions.siblings, [](const sibling& s) { return s.expires == timestamp{}; });
  copy.values.resize(1);
  CAF_CHECK_EQUAL(load("a", copy), "expired");
  CAF_CHECK_EQUAL(copies("s/2"), "");
}

CAF_TEST(what_a_rule_keeps_away_is_not_loaded_where_it_may_not_be) {
  begin(1);
  put("a", "s/1", "one");
  auto copy = saved("a", "s/1");
  lose_everything();
  ask<policy_list>("b", put_policy{policy_scope::type, "s", R"({"residency": ["region-a", "region-c"]})"});
  CAF_CHECK(load("b", copy).find("that may have it") != std::string::npos);
  CAF_CHECK_EQUAL(copies("s/1"), "");
  CAF_CHECK_EQUAL(load("a", copy), "restored");
}

CAF_TEST(damaged_entries_are_refused) {
  begin(1);
  put("a", "s/1", "one");
  auto copy = saved("a", "s/1");
  copy.values[0] = blob{"o"};
  CAF_CHECK(load("a", copy).find("lacks values") != std::string::npos);
}

CAF_TEST(policies_of_a_snapshot_reach_every_node_and_older_ones_lose) {
  begin();
  ask<policy_list>("a", put_policy{policy_scope::type, "s", R"({"factor": 3})"});
  auto all = unbox(ask<policy_list>("a", exchange_policies{}));
  CAF_REQUIRE_EQUAL(all.entries.size(), 1u);
  lose_everything();
  ask<policy_list>("c", exchange_policies{all.entries});
  CAF_CHECK_EQUAL(nodes["d"].context->effective_policy("s/1", {}).factor, 3u);
  time->advance(1s);
  ask<policy_list>("b", put_policy{policy_scope::type, "s", R"({"factor": 4})"});
  ask<policy_list>("c", exchange_policies{all.entries});
  CAF_CHECK_EQUAL(nodes["d"].context->effective_policy("s/1", {}).factor, 4u);
}

CAF_TEST_FIXTURE_SCOPE_END()
