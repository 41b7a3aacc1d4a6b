#define CAF_SUITE router
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  /// Asks `name` and lets `time` pass, a little at a time.
  template <class Reply, class Message>
  expected<Reply> ask_for(const std::string& name, Message message, duration time) {
    expected<Reply> result{make_error(ec::internal, "no answer")};
    auto handle = self->request(nodes[name].context->handles.get()->router, caf::infinite, std::move(message));
    sched.run();
    for (; time > 0ms; time -= 100ms) {
      sched.clock().advance_time(100ms);
      sched.run();
    }
    if (self->has_next_message())
      std::move(handle).receive([&](Reply& x) { result = std::move(x); },
                                [&](caf::error& e) { result = std::move(e); });
    return result;
  }

  read_item read(const std::string& id) {
    read_item r;
    r.id = id;
    return r;
  }

  get_route route_to(const std::string& id) {
    get_route r;
    r.id = id;
    return r;
  }

  std::string holders_on_route(const expected<route_list>& answer) {
    CAF_REQUIRE(answer);
    std::set<std::string> found;
    for (const auto& choice : answer->choices)
      if (choice.holds)
        found.insert(choice.node);
    std::string text;
    for (const auto& node : found)
      text += (text.empty() ? "" : " ") + node;
    return text;
  }

  /// Nobody gets an answer from it.
  void freeze(const std::string& name) {
    for (const auto& other : names)
      network->silent.insert({other, name});
  }

  /// As if the node had been stopped for a while and membership had noticed.
  void lapse(const std::string& name) {
    nodes[name].context->fresh_until_ms = 0;
    nodes[name].context->lapsed_at_ms = nodes[name].context->steady_ms();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(router_tests, fixture)

CAF_TEST(a_read_whose_nearest_holder_is_frozen_is_answered_by_the_next_one) {
  begin(3, 3);
  CAF_CHECK(put("b", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:durable");
  heartbeats();
  freeze("c");
  auto got = ask_for<item_versions>("d", read("x"), 1500ms);
  CAF_REQUIRE(got);
  CAF_CHECK_EQUAL(got->values.front().view(), "1");
  CAF_CHECK_EQUAL(got->served_by, "b");
}

CAF_TEST(a_forwarded_read_whose_nearest_region_is_frozen_is_answered_by_the_next_one) {
  begin(2, 2);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "x", R"({"residency": ["region-b", "region-c"]})"}));
  CAF_CHECK(put("b", "x/1", "1"));
  CAF_CHECK_EQUAL(copies("x/1"), "b:durable c:durable");
  heartbeats();
  freeze("b");
  auto got = ask_for<item_versions>("a", read("x/1"), 1500ms);
  CAF_REQUIRE(got);
  CAF_CHECK_EQUAL(got->served_by, "c");
}

CAF_TEST(a_write_through_a_frozen_region_fails_in_time_and_is_never_sent_twice) {
  begin(2, 2);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "x", R"({"residency": ["region-b", "region-c"]})"}));
  freeze("b");
  network->asked.clear();
  write_item w;
  w.id = "x/1";
  w.value = blob{std::string{"1"}};
  auto got = ask_for<write_receipt>("a", w, config.request_timeout);
  CAF_CHECK(!got);
  CAF_CHECK(code_of(got.error()) != ec::internal);
  CAF_CHECK_EQUAL(network->asked["write_item"], 1);
}

CAF_TEST(while_a_node_catches_up_its_reads_are_answered_by_a_holder_that_is_current) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  heartbeats();
  network->separate("a", "b");
  CAF_CHECK(put("a", "x", "2", first.context));
  network->heal();
  lapse("b");
  auto elsewhere = unbox(get("b", "x"));
  CAF_CHECK_EQUAL(elsewhere.values.front().view(), "2");
  CAF_CHECK_EQUAL(elsewhere.served_by, "a");
  CAF_CHECK(!elsewhere.stale);
}

CAF_TEST(a_node_that_catches_up_alone_answers_and_says_that_it_may_be_old) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  for (auto other : {"a", "c", "d"})
    network->separate("b", other);
  lapse("b");
  auto here = unbox(get("b", "x"));
  CAF_CHECK_EQUAL(here.served_by, "b");
  CAF_CHECK(here.stale);
}

CAF_TEST(a_node_that_catches_up_for_too_long_answers_itself) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  lapse("b");
  CAF_CHECK_EQUAL(unbox(get("b", "x")).served_by, "a");
  nodes["b"].context->lapsed_at_ms = nodes["b"].context->steady_ms() - config.catch_up_for.count();
  auto here = unbox(get("b", "x"));
  CAF_CHECK_EQUAL(here.served_by, "b");
  CAF_CHECK(here.stale);
}

CAF_TEST(a_client_that_passes_its_context_never_goes_back_in_time_at_a_node_that_was_away) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  heartbeats();
  for (auto other : {"a", "c", "d"})
    network->separate("b", other);
  auto second = unbox(put("a", "x", "2", first.context));
  pass_time(10s);
  CAF_CHECK_EQUAL(code_of(get("b", "x", second.context).error()), ec::too_old); // cut off: not even stale
  network->heal();
  auto got = unbox(get("b", "x", second.context)); // before the hint was played out
  CAF_CHECK_EQUAL(got.values.front().view(), "2");
}

CAF_TEST(a_region_that_may_not_have_an_item_does_not_call_it_absent_while_it_lacks_a_node) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  CAF_REQUIRE(ask<policy_list>("a", put_policy{policy_scope::item, "x", R"({"residency": ["region-a", "region-b"]})"}));
  pass_time(1s);
  CAF_CHECK_EQUAL(value("d", "x"), "1");
  // As after a restart of its membership, which has met one node so far.
  nodes["d"].context->cluster.update([](cluster_view& view) {
    std::erase_if(view.peers, [](const peer_view& peer) { return peer.identity.node != "c"; });
  });
  CAF_CHECK_EQUAL(code_of(get("d", "x").error()), ec::unavailable);
}

CAF_TEST(an_item_may_have_begun_at_a_node_that_had_not_heard_of_the_rule) {
  begin(1);
  for (auto other : {"a", "b", "d"})
    network->separate("c", other);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "x", R"({"residency": ["region-a", "region-b"]})"}));
  heartbeats();
  CAF_CHECK(put("c", "x/1", "1"));
  for (auto name : {"a", "b", "d"})
    nodes[name].context->cluster.update([](cluster_view& view) {
      for (auto& peer : view.peers)
        if (peer.identity.node == "c")
          peer.state = peer_state::down;
    });
  CAF_CHECK_EQUAL(code_of(ask_for<item_versions>("d", read("x/1"), 5s).error()), ec::unavailable);
}

CAF_TEST(an_item_is_read_where_it_may_not_stay_until_another_region_has_it) {
  begin(1, 1);
  CAF_CHECK(put("a", "x/1", "1"));
  network->separate("a", "b");
  CAF_CHECK(ask<policy_list>("c", put_policy{policy_scope::type, "x", R"({"residency": ["region-b"]})"}));
  heartbeats();
  CAF_CHECK_EQUAL(copies("x/1"), "a:durable");
  CAF_CHECK_EQUAL(value("a", "x/1"), "1");
  CAF_CHECK_EQUAL(value("d", "x/1"), "1");
}

CAF_TEST(a_loaded_holder_falls_behind_one_that_is_little_further_away) {
  begin(4, 4);
  put("a", "x", "1");
  auto& asked = *nodes["a"].context;
  // Round trips from a: 20 ms to b, 40 ms to c, 90 ms to d.
  asked.distances.set(round_trip_estimate{
      {{"region-a", {}, {0, 20, 40, 90}}, {"region-b", {}, {}}, {"region-c", {}, {}}, {"region-d", {}, {}}}});
  auto order = [&](const std::set<std::string>& loaded) {
    auto view = *asked.cluster.get();
    for (auto& peer : view.peers)
      peer.load = loaded.contains(peer.identity.node) ? 1 : 0;
    asked.cluster.set(std::move(view));
    get_route question;
    question.id = "x";
    auto answer = ask<route_list>("a", question);
    CAF_REQUIRE(answer);
    std::string nodes_in_order;
    for (const auto& choice : answer->choices)
      nodes_in_order += choice.node;
    return nodes_in_order;
  };
  CAF_CHECK_EQUAL(order({}), "abcd");
  CAF_CHECK_EQUAL(order({"b"}), "acbd");
  CAF_CHECK_EQUAL(order({"c"}), "abcd"); // nothing is less than the detour of 30 ms further away
  CAF_CHECK_EQUAL(order({"b", "c", "d"}), "abcd");
}

CAF_TEST(a_route_right_after_a_write_names_all_holders) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  for (const auto& name : names)
    CAF_CHECK_EQUAL(holders_on_route(ask<route_list>(name, route_to("x"))), "a b");
  CAF_CHECK_EQUAL(holders_on_route(ask<route_list>("d", route_to("nothing"))), "");
}

CAF_TEST(a_route_past_frozen_holders_follows_the_catalog) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  freeze("a");
  freeze("b");
  CAF_CHECK_EQUAL(holders_on_route(ask_for<route_list>("d", route_to("x"), 1100ms)), "a b");
}

CAF_TEST(every_node_says_of_a_deleted_item_that_it_is_deleted) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK(!unbox(ask<shadow_report>("d", get_shadow_status{"x"})).deleted);
  network->separate("a", "b"); // or the tombstone would be gone at once
  write_item end;
  end.id = "x";
  end.deleted = true;
  end.seen = first.context;
  CAF_CHECK_EQUAL(unbox(ask<write_receipt>("a", end)).versions, 0u);
  for (auto name : {"a", "d"}) {
    auto report = unbox(ask<shadow_report>(name, get_shadow_status{"x"}));
    CAF_CHECK(report.deleted);
    CAF_CHECK(report.copies.at(0).deleted);
    CAF_CHECK_EQUAL(holders_on_route(ask<route_list>(name, route_to("x"))), "");
  }
}

CAF_TEST(a_write_that_replaces_nothing_says_how_many_versions_there_are) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(first.versions, 1u);
  auto second = unbox(put("b", "x", "2"));
  CAF_CHECK(!second.created);
  CAF_CHECK_EQUAL(second.versions, 2u);
  CAF_CHECK_EQUAL(unbox(put("a", "x", "3", unbox(get("a", "x")).versions.context)).versions, 1u);
}

CAF_TEST(the_policy_in_force_is_that_of_who_wrote_the_item_wherever_it_is_asked) {
  begin(2, 1);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::user, "ann", R"({"ttl": 30})"}));
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "news", R"({"factor": 1})"}));
  auto write = write_of("news/1", "v");
  write.user = "ann";
  CAF_CHECK(ask<write_receipt>("a", write));
  auto origin = [](const effective_policy& found, const std::string& field) {
    for (const auto& each : found.origins)
      if (each.field == field)
        return each.scope + " " + each.name;
    return std::string{};
  };
  for (auto node : {"a", "d"}) {
    auto found = unbox(ask<effective_policy>(node, get_effective_policy{"news/1", ""}));
    CAF_CHECK_EQUAL(found.user, "ann");
    CAF_CHECK_EQUAL(origin(found, "ttl"), "user ann");
    CAF_CHECK_EQUAL(origin(found, "factor"), "type news");
    CAF_CHECK(found.text.find("\"ttl\":30") != std::string::npos);
  }
  auto other = unbox(ask<effective_policy>("d", get_effective_policy{"news/1", "bob"}));
  CAF_CHECK_EQUAL(origin(other, "ttl"), "config ");
  auto coming = unbox(ask<effective_policy>("d", get_effective_policy{"news/2", ""}));
  CAF_CHECK_EQUAL(coming.user, "");
  CAF_CHECK_EQUAL(origin(coming, "factor"), "type news");
  for (auto name : {"a", "b", "c"})
    network->separate("d", name);
  auto cut_off = ask<effective_policy>("d", get_effective_policy{"news/1", ""});
  CAF_REQUIRE(!cut_off);
  CAF_CHECK_EQUAL(code_of(cut_off.error()), ec::unavailable);
}

CAF_TEST(a_shadow_is_dropped_by_its_region_and_a_durable_copy_is_not) {
  begin(1, 1);
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK_EQUAL(value("b", "x"), "1");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  auto refused = [&](const std::string& region, const std::string& id = "x") {
    auto got = ask<shadow_drop>("c", drop_shadow{id, region});
    return got ? std::string{"dropped"} : std::string{name(code_of(got.error()))};
  };
  CAF_CHECK_EQUAL(refused("region-a"), "rejected");
  CAF_CHECK_EQUAL(refused("region-c"), "not-found");
  CAF_CHECK_EQUAL(refused("mars"), "not-found");
  CAF_CHECK_EQUAL(refused("region-b", "y"), "not-found");
  CAF_CHECK_EQUAL(unbox(ask<shadow_drop>("c", drop_shadow{"x", "region-b"})).node, "b");
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
  CAF_CHECK(holders("a", "x").state_of("b") == holder_state::left);
  CAF_CHECK(!nodes["b"].context->index.peek("x"));
  CAF_CHECK_EQUAL(refused("region-b"), "not-found");
  CAF_CHECK_EQUAL(value("b", "x"), "1"); // the next read makes a new one
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  CAF_CHECK(ask<shadow_drop>("b", drop_shadow{"x", "region-b"})); // its own
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
  CAF_CHECK_EQUAL(refused("region-a"), "rejected");
}

CAF_TEST(a_shadow_that_cannot_be_reached_is_not_said_to_be_dropped) {
  begin(1, 1);
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK_EQUAL(value("b", "x"), "1");
  network->separate("c", "b");
  CAF_CHECK(!ask<shadow_drop>("c", drop_shadow{"x", "region-b"}));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
}

CAF_TEST(items_are_counted_here_and_everywhere) {
  begin(1, 1);
  for (auto id : {"news/1", "news/2", "pages/1"})
    CAF_CHECK(put("a", id, "v"));
  CAF_CHECK(put("b", "news/3", "v"));
  CAF_CHECK_EQUAL(value("b", "news/1"), "v");
  heartbeats();
  auto count = [&](const std::string& node, const std::string& prefix) {
    auto found = unbox(ask<item_count>(node, count_items{prefix}));
    CAF_CHECK(found.complete);
    return std::to_string(found.here) + " of " + std::to_string(found.everywhere);
  };
  CAF_CHECK_EQUAL(count("a", ""), "3 of 4");
  CAF_CHECK_EQUAL(count("a", "news/"), "2 of 3");
  CAF_CHECK_EQUAL(count("b", "news/"), "2 of 3"); // what both hold counts once
  CAF_CHECK_EQUAL(count("c", "pages/"), "0 of 1");
  CAF_CHECK_EQUAL(count("c", "nothing"), "0 of 0");
  network->separate("a", "b"); // or the tombstone would be gone at once
  auto end = write_of("news/1", "", unbox(get("a", "news/1")).versions.context);
  end.deleted = true;
  CAF_CHECK(ask<write_receipt>("a", end));
  CAF_CHECK_EQUAL(unbox(ask<item_count>("a", count_items{"news/"})).here, 1u);
}

CAF_TEST(a_read_brings_only_the_part_of_the_value_that_is_wanted_also_from_another_region) {
  begin(1, 1);
  CAF_CHECK(put("a", "x", "0123456789"));
  auto asked = [&](const std::string& node, read_condition condition, const std::string& etag,
                   const std::string& range) {
    auto question = read("x");
    question.condition = condition;
    question.etag = etag;
    question.range = range;
    auto found = unbox(ask<item_versions>(node, question));
    CAF_CHECK_EQUAL(found.versions.siblings.front().bytes, 10u);
    return found.values.front().view();
  };
  auto etag = unbox(get("a", "x")).versions.etag();
  for (auto node : {"a", "b"}) {
    CAF_CHECK_EQUAL(asked(node, read_condition::none, "", "2-4"), "234");
    CAF_CHECK_EQUAL(asked(node, read_condition::none, "", "10-"), "");
    CAF_CHECK_EQUAL(asked(node, read_condition::if_changed, etag, ""), "");
    CAF_CHECK_EQUAL(asked(node, read_condition::if_changed, "\"old\"", ""), "0123456789");
    CAF_CHECK_EQUAL(asked(node, read_condition::if_match, etag, "-3"), "789");
    CAF_CHECK_EQUAL(asked(node, read_condition::if_match, "\"old\"", "-3"), "");
  }
  CAF_CHECK_EQUAL(value("b", "x"), "0123456789"); // the copy there is whole
}

CAF_TEST_FIXTURE_SCOPE_END()
