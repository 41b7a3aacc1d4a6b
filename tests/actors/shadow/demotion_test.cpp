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
    size_t count = 0;
    for (const auto& name : names) {
      auto stored = nodes[name].database->get(keys::record(id));
      if (stored && *stored)
        count += unbox(decode_record(**stored)).holders.state_of(name) == holder_state::durable ? 1 : 0;
    }
    return count;
  }

  void rounds() {
    heartbeats();
    for (int i = 0; i < 4; ++i)
      pass_time(0s);
  }
};

} // namespace

CAF_TEST(the_last_in_rank_goes_when_enough_others_promise_to_stay) {
  demotion attempt{{}, {"b", "c", "d"}, 3};
  CAF_CHECK_EQUAL(attempt.leaver(), "d");
  CAF_CHECK(attempt.next() == demotion::step::wait);
  attempt.heard("b", true);
  CAF_CHECK(attempt.next() == demotion::step::wait);
  attempt.heard("c", true);
  CAF_CHECK(attempt.next() == demotion::step::demote);
}

CAF_TEST(nobody_goes_when_too_few_promise) {
  demotion attempt{{}, {"b", "c", "d"}, 3};
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
