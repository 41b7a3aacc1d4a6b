#define CAF_SUITE search
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  /// As if the node had been stopped for a while, and had not caught up since.
  void lapse(const std::string& name) {
    nodes[name].context->fresh_until_ms = 0;
  }
  void catch_up(const std::string& name) {
    nodes[name].context->fresh_until_ms = INT64_MAX;
  }

  /// `name` takes `peer` for down.
  void lose(const std::string& name, const std::string& peer) {
    note_state(name, peer, peer_state::down);
  }

  void note_state(const std::string& name, const std::string& peer, peer_state state) {
    nodes[name].context->cluster.update([&](cluster_view& view) {
      for (auto& p : view.peers)
        if (p.identity.node == peer)
          p.state = state;
    });
  }

  /// `name` has just heard from all others, and has all their rows.
  void hear_all(const std::string& name) {
    auto& node = *nodes[name].context;
    node.fresh_until_ms = INT64_MAX;
    node.slices.set_peers(node.cluster.get()->names(), true);
    heartbeats();
    for (const auto& peer : node.cluster.get()->names()) {
      auto& there = nodes[peer].context->counters;
      std::vector<uint64_t> heads(there.catalog_heads.begin(), there.catalog_heads.end());
      node.slices.told(peer, node.steady_ms(), there.catalog_generation, heads);
    }
  }

  read_item read_of(const std::string& id) {
    read_item r;
    r.id = id;
    return r;
  }

  write_item delete_of(const std::string& id, version_vector seen = {}) {
    auto w = write_of(id, {}, std::move(seen));
    w.deleted = true;
    return w;
  }

  write_item conditional(const std::string& id, write_condition condition, const std::string& etag = {}) {
    auto w = write_of(id, "conditional");
    w.condition = condition;
    w.etag = etag;
    return w;
  }

  caf::error refusal_of(const std::string& name, const write_item& w) {
    auto outcome = ask<write_receipt>(name, w);
    return outcome ? caf::error{} : outcome.error();
  }

  /// Time passes for requests and timers, not for leases.
  void wait(duration time) {
    for (; time > 0ms; time -= 100ms) {
      sched.clock().advance_time(100ms);
      sched.run();
    }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(search_tests, fixture)

// -- deletes and conditions ------------------------------------------------------------------------------------------

CAF_TEST(a_delete_without_a_context_finds_what_its_node_has_not_heard_of) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK(ask<write_receipt>("b", delete_of("x"))); // no catalog names a
  CAF_CHECK_EQUAL(value("c", "x"), "gone");
  heartbeats();
  CAF_CHECK_EQUAL(value("a", "x"), "");
  CAF_CHECK(unbox(get("a", "x")).versions.deleted());
}

CAF_TEST(a_condition_is_about_what_its_node_has_not_heard_of) {
  begin(1);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(code_of(refusal_of("b", conditional("x", write_condition::if_absent))), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_of(refusal_of("c", conditional("x", write_condition::if_match, "\"other\""))),
                  ec::precondition_failed);
  CAF_CHECK(!refusal_of("d", conditional("x", write_condition::if_match, first.etag)));
  CAF_CHECK_EQUAL(value("a", "x"), "conditional");
}

CAF_TEST(a_delete_or_condition_fails_while_a_node_that_may_have_the_item_is_away) {
  begin(1);
  auto first = unbox(put("a", "x", "1"));
  for (auto away : {false, true}) { // at first nobody has noticed that a is cut off from b
    network->separate("a", "b");
    if (away)
      lose("b", "a");
    for (const auto& w : {delete_of("x"), conditional("x", write_condition::if_absent),
                          conditional("x", write_condition::if_match, first.etag)}) {
      auto reason = refusal_of("b", w);
      CAF_CHECK_EQUAL(code_of(reason), ec::unavailable);
      CAF_CHECK(sentence_of(reason).find("(a)") != std::string::npos);
    }
    CAF_CHECK_EQUAL(copies("x"), "a:durable");
  }
  CAF_CHECK(put("b", "y", "1"));                                     // a write that replaces nothing need not know
  CAF_CHECK(ask<write_receipt>("b", delete_of("x", first.context))); // nor one that says what it replaces
}

CAF_TEST(a_condition_at_a_node_without_a_copy_is_about_what_all_nodes_have) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  network->separate("a", "b");
  auto second = unbox(put("a", "x", "2", first.context));
  lose("c", "d"); // nearest to c is b, which has not heard of the second version
  CAF_CHECK_EQUAL(code_of(refusal_of("c", conditional("x", write_condition::if_match, first.etag))),
                  ec::precondition_failed);
  CAF_CHECK(!refusal_of("d", conditional("x", write_condition::if_match, second.etag)));
  CAF_CHECK_EQUAL(value("a", "x"), "conditional");
}

CAF_TEST(a_holder_that_could_not_be_asked_is_owed_what_began_elsewhere) {
  begin(1);
  put("a", "x", "1");
  heartbeats();
  network->separate("a", "b");
  lose("b", "a");
  CAF_CHECK(put("b", "x", "2"));
  CAF_CHECK(nodes["b"].context->owed.of("a").hints);
  CAF_CHECK(put("b", "y", "1"));
  CAF_CHECK(holders("b", "y").state_of("a") == holder_state::left);
  network->heal();
  note_state("b", "a", peer_state::live);
  for (int i = 0; i < 3; ++i) {
    heartbeats();
    pass_time(1s);
  }
  CAF_CHECK(!nodes["b"].context->owed.of("a").hints);
  CAF_CHECK_EQUAL(unbox(get("a", "x")).values.size(), 2u);
}

CAF_TEST(a_delete_where_a_copy_is_covers_what_has_not_arrived_there) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  network->separate("a", "b");
  CAF_CHECK(put("a", "x", "2", first.context));
  network->heal();
  CAF_CHECK(ask<write_receipt>("b", delete_of("x")));
  heartbeats();
  for (const auto& name : {"a", "b"})
    CAF_CHECK(unbox(get(name, "x")).versions.deleted());
}

CAF_TEST(a_delete_covers_what_began_elsewhere_at_the_same_time) {
  begin(1);
  network->separate("a", "b");
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK(put("b", "x", "2"));
  network->heal();
  CAF_CHECK(ask<write_receipt>("a", delete_of("x")));
  for (const auto& name : {"a", "b"})
    CAF_CHECK(unbox(get(name, "x")).versions.deleted());
}

CAF_TEST(a_write_asks_who_has_the_item_only_while_the_catalog_does_not_know) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  network->asked.clear();
  CAF_CHECK(put("b", "new", "1"));
  CAF_CHECK_EQUAL(network->asked["fetch_item"], 0);
  restart("b"); // what the others hold is not known yet
  CAF_CHECK(put("b", "x", "2"));
  CAF_CHECK_EQUAL(unbox(get("b", "x")).values.size(), 2u); // no twin: b joined before it wrote
  CAF_CHECK(holders("a", "x") == holders("b", "x"));
}

// -- freshness -------------------------------------------------------------------------------------------------------

CAF_TEST(a_copy_of_a_holder_that_catches_up_is_marked_and_not_kept) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  lapse("a");
  auto old = unbox(get("c", "x"));
  CAF_CHECK_EQUAL(old.values.front().view(), "1");
  CAF_CHECK_EQUAL(old.served_by, "a");
  CAF_CHECK(old.stale);
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
  CAF_CHECK(nodes["c"].context->index.find("x") == nullptr);
  CAF_CHECK_EQUAL(holders("a", "x").current().size(), 1u);
  catch_up("a");
  CAF_CHECK(!unbox(get("c", "x")).stale);
  CAF_CHECK_EQUAL(copies("x"), "a:durable c:shadow");
}

CAF_TEST(a_holder_that_is_current_is_preferred_to_a_nearer_one_that_is_not) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  heartbeats();
  network->separate("a", "b");
  CAF_CHECK(put("a", "x", "2", first.context));
  network->heal();
  lapse("b"); // before anybody has heard of it
  auto got = unbox(get("c", "x"));
  CAF_CHECK_EQUAL(got.values.front().view(), "2");
  CAF_CHECK_EQUAL(got.served_by, "a");
  CAF_CHECK(!got.stale);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow");
  CAF_CHECK_EQUAL(value("c", "x"), "2");
}

CAF_TEST(a_holder_that_the_catalog_does_not_name_is_found_through_one_that_is_behind) {
  begin(2, 2);
  auto first = unbox(put("b", "x", "1")); // b and a
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  network->cut.insert({"a", "d"}); // d hears of b only
  heartbeats();
  network->separate("a", "b");
  CAF_CHECK(put("a", "x", "2", first.context));
  network->heal();
  lapse("b");
  network->asked.clear();
  auto got = unbox(get("d", "x"));
  CAF_CHECK_EQUAL(got.values.front().view(), "2");
  CAF_CHECK(!got.stale);
  CAF_CHECK_EQUAL(network->asked["fetch_item"], 2);
}

CAF_TEST(readers_do_not_wait_long_for_a_better_copy) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  lapse("b");
  network->silent.insert({"c", "a"});
  auto reading = self->request(nodes["c"].context->handles.get()->router, caf::infinite, read_of("x"));
  wait(config.hedge_after + 200ms);
  CAF_REQUIRE(self->has_next_message());
  std::move(reading).receive([](const item_versions& x) { CAF_CHECK(x.stale); },
                             [](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
}

CAF_TEST(a_tombstone_of_a_holder_that_catches_up_is_not_the_last_word) {
  begin(1);
  CAF_CHECK(put("b", "x", "1"));
  CAF_CHECK(ask<write_receipt>("b", delete_of("x")));
  lapse("b");
  auto old = unbox(get("c", "x"));
  CAF_CHECK(old.versions.deleted());
  CAF_CHECK(old.stale);
  CAF_CHECK_EQUAL(copies("x"), "b:durable");
  CAF_CHECK_EQUAL(unbox(put("c", "x", "2")).served_by, "b"); // comes after the delete
  CAF_CHECK_EQUAL(value("c", "x"), "2");
}

CAF_TEST(a_write_goes_to_the_holder_when_none_is_current) {
  begin(1);
  auto first = unbox(put("a", "x", "1"));
  heartbeats();
  lapse("a");
  CAF_CHECK_EQUAL(unbox(put("c", "x", "2", first.context)).served_by, "a");
  CAF_CHECK_EQUAL(value("a", "x"), "2");
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
}

CAF_TEST(an_item_that_begins_at_a_node_that_catches_up_gets_its_copies) {
  begin(2, 2);
  lapse("a");
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
}

CAF_TEST(an_invitation_that_cannot_be_checked_with_the_other_holders_is_refused) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  lapse("b");
  network->separate("a", "c");
  network->separate("a", "b");
  create_shadow wish;
  wish.id = "x";
  wish.factor = 3;
  ask<shadow_plan>("b", wish);
  CAF_CHECK(copies("x").find("c:") == std::string::npos); // a may have something newer, and c counts as current
}

CAF_TEST(a_forwarded_read_is_answered_by_a_holder_that_is_current) {
  begin(2, 2);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "x", R"({"residency": ["region-b", "region-c"]})"}));
  auto first = unbox(put("b", "x/1", "1"));
  heartbeats();
  network->separate("b", "c");
  CAF_CHECK(put("c", "x/1", "2", first.context));
  network->heal();
  lapse("b");
  auto got = unbox(get("a", "x/1"));
  CAF_CHECK_EQUAL(got.values.front().view(), "2");
  CAF_CHECK(!got.stale);
  lapse("c");
  CAF_CHECK(unbox(get("a", "x/1")).stale);
}

// -- absent, or not known --------------------------------------------------------------------------------------------

CAF_TEST(an_item_is_absent_only_when_every_node_has_said_so) {
  begin(1);
  CAF_CHECK_EQUAL(code_of(get("c", "nothing").error()), ec::not_found);
  lose("c", "a");
  auto reason = get("c", "nothing").error();
  CAF_CHECK_EQUAL(code_of(reason), ec::unavailable);
  CAF_CHECK(sentence_of(reason).find("(a)") != std::string::npos);
  CAF_CHECK_EQUAL(code_of(ask<shadow_report>("c", get_shadow_status{"nothing"}).error()), ec::unavailable);
  create_shadow wish;
  wish.id = "nothing";
  CAF_CHECK_EQUAL(code_of(ask<shadow_plan>("c", wish).error()), ec::unavailable);
  CAF_CHECK(ask<policy_list>("c", put_policy{policy_scope::type, "ab", R"({"residency": ["region-a", "region-b"]})"}));
  CAF_CHECK_EQUAL(code_of(get("c", "ab/nothing").error()), ec::unavailable); // forwarded
}

CAF_TEST(an_item_whose_holder_is_down_is_not_called_absent_by_a_node_that_has_started_since) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  nodes["a"].stop();
  sched.run();
  restart("b");
  lose("b", "a");
  CAF_CHECK_EQUAL(code_of(get("b", "x").error()), ec::unavailable);
}

CAF_TEST(nobody_is_asked_for_what_nobody_is_known_to_hold) {
  begin(1);
  hear_all("b");
  auto& asked = network->asked["fetch_item"];
  auto& here = *nodes["b"].context;
  CAF_CHECK(here.nobody_holds("nothing"));
  CAF_CHECK_EQUAL(code_of(get("b", "nothing").error()), ec::not_found);
  CAF_CHECK_EQUAL(asked, 0);
  CAF_CHECK_EQUAL(here.counters.active_shadows.load(), 0u);
  auto strong = read_of("nothing");
  strong.strong = true;
  CAF_CHECK_EQUAL(code_of(ask<item_versions>("b", strong).error()), ec::not_found);
  CAF_CHECK_EQUAL(asked, 3);
  auto context = unbox(put("a", "x", "1")).context; // b has not heard of it
  CAF_CHECK_EQUAL(code_of(get("b", "x").error()), ec::not_found);
  CAF_CHECK_EQUAL(unbox(get("b", "x", context)).values.front().view(), "1");
}

CAF_TEST(nobody_is_said_to_hold_an_item_by_old_knowledge) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  hear_all("b");
  auto& here = *nodes["b"].context;
  CAF_CHECK_EQUAL(value("b", "x"), "1");
  here.slices.told("c", here.steady_ms(), 1, std::vector<uint64_t>(shard_count, 9)); // numbers that b cannot place
  CAF_CHECK(here.nobody_holds("nothing"));                                           // what it knew is not old yet
  wait(1100ms);
  CAF_CHECK(!here.nobody_holds("nothing"));
  CAF_CHECK_EQUAL(code_of(get("b", "nothing").error()), ec::not_found);
  CAF_CHECK(network->asked["fetch_item"] >= 3);
}

CAF_TEST(an_item_that_has_just_left_one_node_may_be_at_another) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  hear_all("b");
  auto& here = *nodes["b"].context;
  CAF_CHECK(!here.nobody_holds("x"));
  // a says that it no longer has it; that c has taken it, b has not heard yet.
  catalog_row gone{"x", false};
  self->send(nodes["a"].context->shard("x"), gone);
  sched.run();
  hear_all("b");
  CAF_CHECK(!here.nobody_holds("x"));
  auto asked = network->asked["fetch_item"];
  get("b", "x");
  CAF_CHECK(network->asked["fetch_item"] > asked);
}

// -- joining ---------------------------------------------------------------------------------------------------------

CAF_TEST(what_an_update_brought_to_a_joining_copy_stays_when_the_fetch_fails) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  auto there = unbox(ask<item_copy>("a", fetch_item{"x", "a"}));
  network->silent.insert({"c", "a"}); // a has taken c in, and its answer is lost
  auto reading = self->request(nodes["c"].context->handles.get()->router, caf::infinite, read_of("x"));
  sched.run();
  CAF_CHECK_EQUAL(copies("x"), "a:durable c:joining");
  caf::anon_send(nodes["c"].context->handles.get()->region, replicate_item{there, "a", {"a", "c"}});
  sched.run();
  wait(config.peer_timeout + 1s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable c:shadow");
  CAF_CHECK_EQUAL(value("c", "x"), "1");
  std::move(reading).receive([](const item_versions& x) { CAF_CHECK_EQUAL(x.values.front().view(), "1"); },
                             [](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
}

CAF_TEST_FIXTURE_SCOPE_END()
