#define CAF_SUITE demotion
#include "actors/shadow/demotion.hpp"
#include "actors/shadow/reaping.hpp"
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  /// Makes `name` a durable holder too, as a repair does.
  void add_durable(const std::string& name, const std::string& id) {
    place_copies wish;
    wish.id = id;
    wish.factor = wish.min_copies = static_cast<uint32_t>(durable(id)) + 1;
    wish.candidates = {name};
    self->send(nodes["a"].context->shard(id), wish);
    sched.run();
  }

  size_t durable(const std::string& id) {
    return durable_at(id).size();
  }

  std::string durable_at(const std::string& id) {
    std::string all;
    for (const auto& name : names) {
      auto stored = nodes[name].database->get(keys::record(id));
      if (stored && *stored && unbox(decode_record(**stored)).holders.state_of(name) == holder_state::durable)
        all += name;
    }
    return all;
  }

  /// Reads at `name`, past the read index, so that each is counted at once.
  void read_often(const std::string& name, const std::string& id, int times) {
    for (int i = 0; i < times; ++i)
      get(name, id);
  }

  void rounds() {
    heartbeats();
    for (int i = 0; i < 4; ++i)
      pass_time(0s);
  }
};

} // namespace

CAF_TEST(the_leaver_goes_when_enough_others_promise_to_stay) {
  demotion attempt{{}, {"b", "c", "d"}, "d", 3};
  CAF_CHECK(attempt.next() == demotion::step::wait);
  attempt.heard("b", true);
  CAF_CHECK(attempt.next() == demotion::step::wait);
  attempt.heard("c", true);
  CAF_CHECK(attempt.next() == demotion::step::demote);
}

CAF_TEST(a_steward_that_leaves_does_not_count_among_those_that_stay) {
  demotion attempt{{}, {"b", "c"}, "a", 2};
  attempt.heard("b", true);
  CAF_CHECK(attempt.next() == demotion::step::wait);
  attempt.heard("c", true);
  CAF_CHECK(attempt.next() == demotion::step::demote);
  demotion other{{}, {"b", "c"}, "a", 2};
  other.heard("b", true);
  other.failed();
  CAF_CHECK(other.next() == demotion::step::give_up);
}

CAF_TEST(a_shadow_takes_over_when_it_is_wanted_twice_as_much_as_a_durable_copy) {
  CAF_CHECK(!takes_over(20, {{"a", 10}, {"b", 30}}));
  CAF_CHECK(takes_over(21, {{"a", 10}, {"b", 30}}));
  CAF_CHECK(!takes_over(21, {}));
  CAF_CHECK_EQUAL(least_wanted({{"a", 3}, {"b", 1}, {"c", 2}}, {"a", "b", "c"}), "b");
  CAF_CHECK_EQUAL(least_wanted({{"a", 1}, {"b", 1}, {"c", 2}}, {"a", "b", "c"}), "b");
}

CAF_TEST(nobody_goes_when_too_few_promise) {
  demotion attempt{{}, {"b", "c", "d"}, "d", 3};
  attempt.heard("b", false);
  attempt.failed();
  CAF_CHECK(attempt.next() == demotion::step::give_up);
}

CAF_TEST(a_promise_ends_when_it_is_released_or_its_time_is_over) {
  guard_promises promises;
  auto now = guard_promises::time_point{1h};
  promises.give("a", now + 10s);
  promises.give("b", now + 20s);
  CAF_CHECK(promises.hold(now));
  promises.release("b");
  CAF_CHECK(promises.hold(now + 9s));
  CAF_CHECK(!promises.hold(now + 10s));
}

CAF_TEST_FIXTURE_SCOPE(demotion_tests, fixture)

CAF_TEST(surplus_durable_copies_become_shadows_one_after_the_other) {
  begin(2, 2);
  put("a", "x", "v");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  add_durable("c", "x");
  add_durable("d", "x");
  CAF_CHECK_EQUAL(durable("x"), 4u);
  rounds();
  rounds();
  CAF_CHECK_EQUAL(durable("x"), 2u);
  for (const auto& name : names)
    CAF_CHECK_EQUAL(value(name, "x"), "v");
}

CAF_TEST(a_surplus_is_not_forgotten_when_a_shadow_crashes) {
  begin(2, 2);
  put("a", "x", "1");
  add_durable("c", "x");
  auto first = holders("a", "x").durable_by_rank("x").front();
  fails_in_shadow<write_receipt>(first, write_of("x", "2"));
  rounds();
  rounds();
  CAF_CHECK_EQUAL(durable("x"), 2u);
}

CAF_TEST(nobody_is_demoted_while_too_few_others_can_promise_to_stay) {
  begin(2, 2);
  put("a", "x", "v");
  add_durable("c", "x");
  auto first = holders("a", "x").durable_by_rank("x").front();
  std::vector<std::string> rest;
  for (const auto& name : names)
    if (name != first)
      rest.push_back(name);
  for (const auto& name : rest) // the one that may demote is alone
    network->separate(first, name);
  rounds();
  CAF_CHECK_EQUAL(durable("x"), 3u);
  network->heal();
  rounds();
  rounds();
  CAF_CHECK_EQUAL(durable("x"), 2u);
}

CAF_TEST(at_no_moment_are_there_fewer_durable_copies_than_policy_asks_for) {
  begin(2, 2);
  for (int steps = 0; steps < 60; steps += 4) {
    auto id = "x/" + std::to_string(steps);
    put("a", id, "v");
    add_durable("c", id);
    add_durable("d", id);
    for (auto& [name, node] : nodes)
      self->send(node.context->shard(id), reap_a_v, id);
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    network->separate("a", "b");
    network->separate("c", "d");
    do
      CAF_CHECK(durable(id) >= 2);
    while (sched.try_run_once());
    network->heal();
    rounds();
    CAF_CHECK(durable(id) >= 2);
  }
}

// -- durable copies that follow -------------------------------------------------------------------------------------

CAF_TEST(the_durable_copy_moves_to_where_the_item_is_read) {
  for (auto id : {"x", "y", "z", "w"}) { // the steward is another node for each
    config.durable_follows = true;
    if (nodes.empty())
      begin(1, 1);
    put("a", id, "1");
    CAF_CHECK_EQUAL(durable_at(id), "a");
    read_often("c", id, 30);
    rounds();
    rounds();
    CAF_CHECK_EQUAL(durable_at(id), "c");
    CAF_CHECK_EQUAL(value("a", id), "1");
    CAF_CHECK(put("a", id, "2", unbox(get("a", id)).versions.context));
    CAF_CHECK_EQUAL(value("c", id), "2");
  }
}

CAF_TEST(durable_copies_stay_where_the_policy_says_so) {
  begin(1, 1);
  put("a", "x", "1");
  read_often("c", "x", 30);
  rounds();
  CAF_CHECK_EQUAL(durable_at("x"), "a");
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::item, "x", R"({"durable": "follows"})"}));
  read_often("c", "x", 1);
  rounds();
  rounds();
  CAF_CHECK_EQUAL(durable_at("x"), "c");
}

CAF_TEST(readers_who_alternate_move_nothing) {
  config.durable_follows = true;
  begin(1, 1);
  put("a", "x", "1");
  read_often("b", "x", 30);
  rounds();
  rounds();
  auto home = durable_at("x");
  auto promotions = 0;
  for (int i = 0; i < 40; ++i) {
    read_often(i % 2 == 0 ? "b" : "d", "x", 5);
    pass_time(10min);
    heartbeats();
    promotions += durable("x") > 1 ? 1 : 0;
    if (durable_at("x") != home) {
      home = durable_at("x");
      ++promotions;
    }
  }
  CAF_CHECK_EQUAL(promotions, 0);
}

CAF_TEST(a_move_never_leaves_fewer_durable_copies_than_the_policy_asks_for) {
  config.durable_follows = true;
  begin(2, 2);
  put("a", "x", "1");
  for (auto reader : {"c", "d", "a", "b", "d"}) {
    network->separate("a", "c");
    read_often(reader, "x", 100);
    network->heal();
    do
      CAF_CHECK(durable("x") >= 2);
    while (sched.try_run_once());
    for (int i = 0; i < 3; ++i) {
      rounds();
      CAF_CHECK(durable("x") >= 2);
    }
  }
  CAF_CHECK_EQUAL(durable("x"), 2u);
  CAF_CHECK(durable_at("x").find("d") != std::string::npos);
}

CAF_TEST(only_the_first_in_rank_finds_a_surplus) {
  item_record record;
  record.id = "x";
  record.versions.write({}, {1, 1}, {});
  for (const auto& name : names)
    record.holders.begin_epoch(name, holder_state::durable);
  auto first = record.holders.durable_by_rank("x").front();
  for (const auto& name : names) {
    CAF_CHECK_EQUAL(has_surplus(record, name, 3), name == first);
    CAF_CHECK(!has_surplus(record, name, 4));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
