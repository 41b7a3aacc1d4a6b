#define CAF_SUITE shadow_debts
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  /// The record on disk; an empty one when there is none.
  item_record record(const std::string& name, const std::string& id) {
    auto stored = unbox(nodes[name].database->get(keys::record(id)));
    return stored ? unbox(decode_record(*stored)) : item_record{};
  }

  /// Starts a write and stops the world at the moment its first sync is done.
  void write_until_synced(const std::string& name, write_item request) {
    auto before = nodes[name].database->syncs;
    self->send(nodes[name].context->handles.get()->router, std::move(request));
    while (nodes[name].database->syncs == before && sched.try_run_once()) {
    }
  }

  size_t keys_of(const std::string& name, char tag) {
    const auto& all = nodes[name].database->entries();
    return static_cast<size_t>(
        std::count_if(all.begin(), all.end(), [&](const auto& entry) { return entry.first.front() == tag; }));
  }

  /// Heartbeats and time in which hints are played out and reviews are due.
  void settle(int rounds = 4) {
    for (int i = 0; i < rounds; ++i) {
      heartbeats();
      pass_time(31s);
    }
    heartbeats();
  }

  /// What the write is told when the time for its acks is up.
  caf::error fails_at_deadline(const std::string& name, write_item w) {
    auto handle = self->request(nodes[name].context->handles.get()->router, caf::infinite, std::move(w));
    sched.run();
    pass_time(1s);
    caf::error result;
    std::move(handle).receive([](const write_receipt&) {}, [&](caf::error& e) { result = std::move(e); });
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shadow_debts_tests, fixture)

CAF_TEST(a_crash_behind_the_sync_of_a_write_does_not_leave_the_other_holders_behind) {
  begin(3, 2);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow");
  for (auto writer : {"a", "c"}) {
    auto seen = unbox(get(writer, "x")).versions.context;
    auto text = std::string{"from "} + writer;
    write_until_synced(writer, write_of("x", text, seen));
    network->separate(writer, "b"); // whatever it would send now is lost
    network->separate(writer, writer == std::string{"a"} ? "c" : "a");
    nodes[writer].stop();
    sched.run();
    network->heal();
    restart(writer);
    settle(1);
    for (auto name : {"a", "b", "c"})
      CAF_CHECK_EQUAL(value(name, "x"), text);
  }
  settle();
  for (auto name : {"a", "b", "c"}) {
    CAF_CHECK(record(name, "x").owed.empty());
    CAF_CHECK_EQUAL(keys_of(name, 'h'), 0u);
  }
}

CAF_TEST(debts_and_index_entries_are_gone_when_all_holders_have_the_write) {
  begin(3, 3);
  for (int i = 0; i < 5; ++i)
    CAF_CHECK(put("a", "x", std::to_string(i), i == 0 ? version_vector{} : unbox(get("a", "x")).versions.context));
  settle();
  for (auto name : {"a", "b", "c"}) {
    CAF_CHECK(record(name, "x").owed.empty());
    CAF_CHECK_EQUAL(keys_of(name, 'e') + keys_of(name, 'h'), 0u);
  }
}

CAF_TEST(a_shadow_that_dies_behind_its_sync_is_followed_by_one_that_replicates) {
  begin(2);
  auto first = unbox(put("a", "x", "1"));
  network->separate("a", "b");
  // What the first shadow learns of the failed update is lost with it: the hint cannot be stored.
  write_until_synced("a", write_of("x", "2", first.context));
  nodes["a"].database->fail_writes = true;
  sched.run();
  auto seen = unbox(get("a", "x")).versions.context;
  CAF_CHECK(!put("a", "x", "3", seen)); // ends the shadow
  nodes["a"].database->fail_writes = false;
  network->heal();
  settle(1);
  CAF_CHECK_EQUAL(value("b", "x"), "2");
}

CAF_TEST(a_receipt_does_not_cover_what_another_wrote_at_the_same_region) {
  begin(1);
  auto one = unbox(put("a", "x", "1"));
  auto two = unbox(put("a", "x", "2"));
  auto next = unbox(put("a", "x", "3", two.context));
  CAF_CHECK_EQUAL(value("a", "x"), "1|3");
  CAF_CHECK(put("a", "x", "4", next.context));
  CAF_CHECK_EQUAL(value("a", "x"), "1|4");
  CAF_CHECK(put("a", "x", "5", one.context));
  CAF_CHECK_EQUAL(value("a", "x"), "4|5");
  auto all = unbox(get("a", "x")).versions.context;
  CAF_CHECK(put("b", "x", "6", all));
  CAF_CHECK_EQUAL(value("a", "x"), "6");
}

CAF_TEST(a_context_with_dots_holds_in_every_region) {
  begin(1);
  put("a", "x", "1");
  auto two = unbox(put("a", "x", "2"));
  CAF_CHECK_EQUAL(value("b", "x"), "1|2");
  auto text = two.context.to_text();
  auto seen = version_vector::from_text(text);
  CAF_REQUIRE(seen);
  CAF_CHECK(put("b", "x", "3", *seen));
  CAF_CHECK_EQUAL(value("a", "x"), value("b", "x"));
  CAF_CHECK_EQUAL(unbox(get("a", "x")).values.size(), 2u);
  CAF_CHECK(value("a", "x").find("2") == std::string::npos);
}

CAF_TEST(a_repeated_write_is_answered_as_the_first_was_whatever_its_condition) {
  begin(1);
  auto w = write_of("x", "1");
  w.condition = write_condition::if_absent;
  w.request_id = "r1";
  auto first = unbox(ask<write_receipt>("a", w));
  auto again = ask<write_receipt>("a", w);
  CAF_REQUIRE(again);
  CAF_CHECK_EQUAL(again->etag, first.etag);
  w.request_id = "r2";
  CAF_CHECK_EQUAL(code_of(ask<write_receipt>("a", w).error()), ec::precondition_failed);
}

CAF_TEST(copies_that_were_invited_do_not_make_each_other_durable) {
  begin(3, 2);
  for (int steps = 0; steps < 30; ++steps) { // the invited regions finish in many orders
    auto id = "x/" + std::to_string(steps);
    self->send(nodes["a"].context->handles.get()->router, write_of(id, "1"));
    for (int i = 0; i < 10 * steps; ++i)
      sched.try_run_once();
    network->separate("a", "b");
    for (int i = 0; i < 20; ++i)
      sched.try_run_once();
    network->heal();
    sched.run();
    CAF_CHECK(holders("a", id).durable().size() <= 2);
  }
}

CAF_TEST(a_node_that_joined_and_vanished_does_not_count_for_ever) {
  begin(1);
  put("a", "x", "1");
  auto asked = self->request(nodes["a"].context->handles.get()->region, caf::infinite,
                             fetch_item{.id = "x", .requester = "d", .join = true});
  sched.run();
  std::move(asked).receive([](const item_copy&) {}, [](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
  CAF_CHECK(holders("a", "x").state_of("d") == holder_state::joining);
  settle(3);
  CAF_CHECK(holders("a", "x").state_of("d") == holder_state::left);
}

CAF_TEST(a_pinned_copy_is_released_although_it_slept_between_two_acks) {
  begin(3, 2);
  put("a", "x", "1");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow");
  network->separate("c", "b");
  CAF_CHECK(put("c", "x", "2", unbox(get("c", "x")).versions.context));
  CAF_CHECK(record("c", "x").pinned);
  for (int i = 0; i < 8; ++i)
    pass_time(1s);
  CAF_CHECK_EQUAL(nodes["c"].context->counters.active_shadows.load(), 0u);
  network->heal();
  settle(3);
  CAF_CHECK(!record("c", "x").pinned);
  pass_time(61s);
  settle(2);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  CAF_CHECK_EQUAL(value("b", "x"), "2");
}

CAF_TEST(acks_of_all_waits_for_each_durable_holder_by_name) {
  begin(3, 2);
  put("a", "x", "1");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow");
  network->separate("b", "c");
  CAF_CHECK(put("c", "x", "2", unbox(get("c", "x")).versions.context)); // c is pinned now, and counts
  network->separate("a", "b");
  auto w = write_of("x", "3", unbox(get("a", "x")).versions.context);
  w.acks = acks_all;
  auto refused = fails_at_deadline("a", w);
  CAF_CHECK_EQUAL(code_of(refused), ec::not_enough_acks);
  auto says = [&](const char* part) { return sentence_of(refused).find(part) != std::string::npos; };
  CAF_CHECK(says("2 regions (a, c)"));
  CAF_CHECK(says("no answer from b"));
  CAF_CHECK(says("may still arrive"));
  network->heal();
  settle(1);
  CAF_CHECK_EQUAL(value("b", "x"), "3");
  w = write_of("x", "4", unbox(get("a", "x")).versions.context);
  w.acks = acks_all;
  CAF_CHECK(ask<write_receipt>("a", w));
}

CAF_TEST(a_write_that_waited_for_a_copy_is_answered_while_its_client_waits) {
  begin(1);
  put("a", "x", "1");
  heartbeats();
  network->silent.insert({"d", "a"});
  auto w = write_of("x", "2");
  w.acks = 2;
  auto handle = self->request(nodes["d"].context->handles.get()->router, caf::infinite, w);
  sched.run();
  sched.clock().current_time += config.request_timeout * 9 / 10;
  sched.trigger_timeouts();
  sched.run();
  CAF_REQUIRE(!self->mailbox().empty());
  std::move(handle).receive([](const write_receipt&) { CAF_ERROR("acknowledged by one of two"); },
                            [](const caf::error& e) { CAF_CHECK(code_of(e) == ec::timeout); });
}

CAF_TEST(a_write_that_the_creators_rule_keeps_away_goes_to_the_holder) {
  begin(1);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::user, "ann", R"({"residency": ["region-a", "region-b"]})"}));
  auto w = write_of("x", "1");
  w.user = "ann";
  CAF_CHECK(ask<write_receipt>("a", w));
  CAF_CHECK_EQUAL(value("c", "x"), "1");
  create_shadow wish;
  wish.id = "x";
  wish.factor = 2;
  CAF_CHECK_EQUAL(unbox(ask<shadow_plan>("c", wish)).copies.size(), 2u);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  auto receipt = ask<write_receipt>("c", write_of("x", "2", unbox(get("c", "x")).versions.context));
  CAF_REQUIRE(receipt);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  CAF_CHECK_EQUAL(value("a", "x"), "2");
  CAF_CHECK_EQUAL(value("b", "x"), "2");
}

CAF_TEST(copies_are_made_from_a_region_that_may_not_have_one) {
  begin(1);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "eu", R"({"residency": ["region-a", "region-b"]})"}));
  CAF_CHECK(put("a", "eu/1", "1"));
  create_shadow wish;
  wish.id = "eu/1";
  wish.factor = 2;
  CAF_CHECK_EQUAL(unbox(ask<shadow_plan>("d", wish)).copies.size(), 2u);
  CAF_CHECK_EQUAL(copies("eu/1"), "a:durable b:shadow");
  CAF_CHECK_EQUAL(code_of(ask<shadow_plan>("d", create_shadow{"eu/2", {}, 2, {}, {}}).error()), ec::not_found);
}

CAF_TEST(a_write_comes_after_the_delete_that_its_region_has_not_seen) {
  begin(1);
  put("a", "x", "1");
  auto gone = write_of("x", "");
  gone.deleted = true;
  CAF_CHECK(ask<write_receipt>("a", gone));
  heartbeats();
  CAF_CHECK(put("d", "x", "2"));
  for (const auto& name : names)
    CAF_CHECK_EQUAL(value(name, "x"), "2");
  CAF_CHECK(ask<write_receipt>("d", gone));
  CAF_CHECK(put("a", "x", "3"));
  for (const auto& name : names)
    CAF_CHECK_EQUAL(value(name, "x"), "3");
}

CAF_TEST(a_write_that_joins_a_reads_search_comes_after_the_delete_as_well) {
  begin(1);
  put("a", "x", "1");
  auto gone = write_of("x", "");
  gone.deleted = true;
  CAF_CHECK(ask<write_receipt>("a", gone));
  heartbeats();
  auto router = nodes["d"].context->handles.get()->router;
  for (int steps = 0; steps < 40; ++steps) {
    read_item r;
    r.id = "x";
    self->send(router, r);
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    self->send(router, write_of("x", "2"));
    sched.run();
    CAF_CHECK_EQUAL(value("a", "x"), "2");
    CAF_CHECK(ask<write_receipt>("a", gone));
    pass_time(61s);
    pass_time(61s);
    settle(1);
  }
}

CAF_TEST(what_an_expired_version_replaced_never_returns) {
  begin(2);
  auto first = unbox(put("a", "x", "old"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  auto ends = write_of("x", "short", first.context);
  ends.expires = time->now() + 5s;
  network->separate("a", "b");
  CAF_CHECK(ask<write_receipt>("a", ends));
  pass_time(6s);
  pass_time(1s);
  CAF_CHECK_EQUAL(value("a", "x"), "gone");
  network->heal();
  settle(1);
  for (auto name : {"a", "b", "c"})
    CAF_CHECK_EQUAL(value(name, "x"), "gone");
  CAF_CHECK(put("c", "x", "new"));
  for (auto name : {"a", "b", "c"})
    CAF_CHECK_EQUAL(value(name, "x"), "new");
}

CAF_TEST(a_stray_entry_of_the_expiry_index_wakes_its_item_once) {
  begin(1);
  put("a", "x", "1");
  put("a", "y", "1");
  restart("a");
  auto& entries = nodes["a"].database->entries();
  for (auto id : {"x", "y", "nothing"})
    entries[keys::expiry(time->now() - 1s, id)] = "";
  entries[keys::record("y")].back() ^= 1;
  pass_time(1s);
  CAF_CHECK_EQUAL(keys_of("a", 'e'), 0u);
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  CAF_CHECK(entries.count(keys::record("nothing")) == 0);
}

CAF_TEST(a_holder_that_cannot_take_an_update_is_tried_ever_less_often) {
  begin(2);
  auto first = unbox(put("a", "x", "1"));
  nodes["b"].database->longest_value = 1000;
  network->asked.clear();
  CAF_CHECK(put("a", "x", std::string(2000, 'x'), first.context));
  for (int i = 0; i < 28; ++i) { // shorter than the lease
    heartbeats();
    time->advance(2s);
    sched.clock().current_time += 2s;
    sched.trigger_timeouts();
    sched.run();
  }
  CAF_CHECK(network->asked["replicate_item"] > 2);
  CAF_CHECK(network->asked["replicate_item"] < 12);
  CAF_CHECK_EQUAL(keys_of("a", 'h'), 1u);
}

CAF_TEST(whoever_waits_for_a_shadow_that_falls_asleep_is_answered_when_its_shard_dies) {
  begin(1);
  put("a", "x", "1");
  for (int steps = 0; steps < 25; ++steps) {
    nodes["a"].context->index.clear();
    get("a", "x");
    sched.clock().current_time += 60s;
    sched.trigger_timeouts();
    auto shard = nodes["a"].context->handles.get()->shards[shard_of("x")];
    for (int i = 0; i < 10 * steps; ++i)
      sched.try_run_once();
    read_item r;
    r.id = "x";
    auto reading = self->request(shard, caf::infinite, r);
    for (int i = 0; i < 3; ++i)
      sched.try_run_once();
    caf::anon_send_exit(shard, caf::exit_reason::kill);
    sched.run();
    CAF_REQUIRE(!self->mailbox().empty());
    std::move(reading).receive([](const item_versions&) {}, [](const caf::error&) {});
    restart("a");
  }
}

CAF_TEST(the_last_writer_never_leaves_an_item_empty) {
  begin(1);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "t", R"({"conflicts": "lww"})"}));
  for (auto one : names)
    for (auto two : names)
      if (one != two)
        network->separate(one, two);
  put("c", "t/x", "by c, in the middle");
  put("b", "t/x", "by b, early");
  time->advance(1h);
  auto late = unbox(put("a", "t/x", "by a, late"));
  time->advance(-2h);
  // Its writer has seen a's version, this region has not, and its clock is behind.
  auto w = write_of("t/x", "by b, after a", late.context);
  CAF_CHECK(!ask<write_receipt>("b", w));
  network->heal();
  settle(2);
  CAF_CHECK(ask<write_receipt>("b", w));
  settle(2);
  for (const auto& name : names)
    CAF_CHECK_EQUAL(value(name, "t/x"), "by b, after a");
}

CAF_TEST(what_is_owed_to_a_node_that_is_away_is_left_to_its_hint) {
  begin(3, 2);
  std::vector<version_vector> seen;
  for (int i = 0; i < 30; ++i)
    seen.push_back(unbox(put("a", "x" + std::to_string(i), "1")).context);
  network->separate("a", "b");
  network->separate("c", "b");
  network->separate("d", "b");
  for (int i = 0; i < 30; ++i)
    CAF_CHECK(put("a", "x" + std::to_string(i), "2", seen[static_cast<size_t>(i)]));
  settle(6); // the first review finds the hints
  CAF_CHECK_EQUAL(keys_of("a", 'h'), 30u);
  auto before = nodes["a"].context->counters.store_writes.load();
  for (int i = 0; i < 10; ++i) {
    pass_time(31s);
    CAF_CHECK_EQUAL(nodes["a"].context->counters.active_shadows.load(), 0u);
  }
  CAF_CHECK_EQUAL(nodes["a"].context->counters.store_writes.load(), before);
  restart("a");
  CAF_CHECK_EQUAL(nodes["a"].context->counters.active_shadows.load(), 0u); // nor does a start wake them
  CAF_CHECK_EQUAL(keys_of("a", 'h'), 30u);
  network->heal();
  settle(2);
  CAF_CHECK_EQUAL(value("b", "x7"), "2");
  CAF_CHECK_EQUAL(keys_of("a", 'h'), 0u);
  CAF_CHECK(record("a", "x7").owed.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
