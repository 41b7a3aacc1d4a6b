#define CAF_SUITE tombstones
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  void remove(const std::string& name, const std::string& id) {
    write_item w;
    w.id = id;
    w.deleted = true;
    CAF_REQUIRE(ask<write_receipt>(name, w));
  }

  /// Enough for tombstones to be old enough, and for two rounds of every node.
  void quiet_period() {
    heartbeats();
    pass_time(config.reap_after + 1s);
    for (int i = 0; i < 3; ++i)
      pass_time(1s);
  }

  std::string kept(const std::string& id) {
    std::string all;
    for (const auto& name : names)
      for (const auto& [key, value] : nodes[name].database->entries())
        if (key.find(id) != std::string::npos)
          all += name + ":" + key.substr(0, 1) + " ";
    return all;
  }

  uint64_t tombstones() {
    uint64_t all = 0;
    for (auto& [name, node] : nodes)
      all += node.context->counters.tombstones.load();
    return all;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tombstones_tests, fixture)

CAF_TEST(a_deleted_item_is_forgotten_once_all_holders_have_the_tombstone) {
  begin(3, 2);
  for (int i = 0; i < 20; ++i)
    put("a", "x/" + std::to_string(i), "v");
  get("d", "x/7");
  for (int i = 0; i < 20; ++i)
    remove("c", "x/" + std::to_string(i));
  CAF_CHECK(tombstones() >= 60u);
  CAF_CHECK_EQUAL(code_of(get("d", "x/8").error()), ec::gone);
  quiet_period();
  CAF_CHECK_EQUAL(tombstones(), 0u);
  CAF_CHECK_EQUAL(kept("x/"), "");
  for (const auto& name : names)
    CAF_CHECK_EQUAL(code_of(get(name, "x/7").error()), ec::not_found);
}

CAF_TEST(a_tombstone_is_kept_for_its_time) {
  begin(2, 2);
  put("a", "x", "v");
  remove("a", "x");
  heartbeats();
  for (int i = 0; i < 4; ++i)
    pass_time(5s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
}

CAF_TEST(a_tombstone_waits_for_a_holder_that_is_cut_off) {
  begin(2, 2);
  put("a", "x", "v");
  for (const auto& name : {"a", "c", "d"})
    network->separate(name, "b");
  remove("a", "x");
  quiet_period();
  quiet_period();
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  network->heal();
  quiet_period();
  quiet_period();
  CAF_CHECK_EQUAL(kept("x"), "");
  CAF_CHECK_EQUAL(value("b", "x"), "not-found");
}

CAF_TEST(a_tombstone_at_a_node_that_has_met_nobody_waits_for_the_others) {
  begin(2, 2);
  put("a", "x", "v");
  remove("a", "x");
  nodes["a"].context->cluster.update([](cluster_view& view) { view = {.peers = {}, .unmet_seeds = 1}; });
  nodes["b"].context->cluster.update([](cluster_view& view) { view = {.peers = {}, .unmet_seeds = 1}; });
  quiet_period();
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
}

CAF_TEST(a_tombstone_waits_for_a_region_that_holds_what_it_ended_unknown_to_the_holders) {
  begin(2, 2);
  for (const auto& here : {"a", "b"})
    for (const auto& there : {"c", "d"})
      network->separate(here, there);
  auto begun = unbox(put("a", "x", "v"));
  CAF_CHECK(put("c", "x", "w"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:durable d:durable");
  write_item w;
  w.id = "x";
  w.deleted = true;
  w.seen = begun.context;
  CAF_REQUIRE(ask<write_receipt>("c", w));
  remove("c", "x");
  quiet_period();
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:durable d:durable");
  network->heal();
  quiet_period();
  quiet_period();
  quiet_period();
  CAF_CHECK_EQUAL(kept("x"), "");
  for (const auto& name : names)
    CAF_CHECK_EQUAL(value(name, "x"), "not-found");
}

CAF_TEST(a_holder_that_was_away_hears_of_the_delete_and_not_the_others_of_the_item) {
  begin(3, 3);
  put("a", "x", "v");
  nodes["c"].stop();
  sched.run();
  for (const auto& name : {"a", "b", "d"})
    network->separate(name, "c");
  remove("a", "x");
  quiet_period();
  CAF_CHECK(tombstones() > 0u);
  network->heal();
  restart("c");
  quiet_period();
  quiet_period();
  CAF_CHECK_EQUAL(kept("x"), "");
  for (const auto& name : names)
    CAF_CHECK_EQUAL(value(name, "x"), "not-found");
}

CAF_TEST(an_attempt_that_breaks_off_anywhere_is_made_again) {
  begin(3, 3);
  for (int steps = 0; steps < 60; steps += 4) {
    auto id = "x/" + std::to_string(steps);
    put("a", id, "v");
    remove("b", id);
    time->advance(config.reap_after + 1s);
    for (auto& [name, node] : nodes) // whoever is its steward
      self->send(node.context->shard(id), reap_a_v, id);
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    for (const auto& name : {"a", "b", "d"})
      network->separate(name, "c");
    sched.run();
    network->heal();
    quiet_period();
    quiet_period();
    CAF_CHECK_EQUAL(kept(id), "");
    CAF_CHECK_EQUAL(value("a", id), "not-found");
  }
}

CAF_TEST(a_write_that_comes_while_the_item_is_reaped_is_not_lost) {
  begin(3, 2);
  for (int steps = 0; steps < 120; steps += 5) {
    auto id = "x/" + std::to_string(steps);
    put("a", id, "old");
    remove("b", id);
    time->advance(config.reap_after + 1s);
    for (auto& [name, node] : nodes)
      self->send(node.context->shard(id), reap_a_v, id);
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    CAF_CHECK(put("c", id, "new"));
    quiet_period();
    auto found = value("c", id);
    CAF_CHECK(found.find("new") != std::string::npos);
    CAF_CHECK(found.find("old") == std::string::npos);
  }
}

CAF_TEST(a_tombstone_gets_no_new_holder_by_a_write_which_goes_to_where_it_is) {
  begin(2, 2);
  put("a", "x", "old");
  remove("a", "x");
  heartbeats();
  auto written = unbox(put("d", "x", "new"));
  CAF_CHECK(written.served_by == "a" || written.served_by == "b");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  for (const auto& name : names)
    CAF_CHECK_EQUAL(value(name, "x"), "new");
}

CAF_TEST(what_expires_is_forgotten_everywhere) {
  begin(2, 2);
  write_item w;
  w.id = "x";
  w.value = blob{std::string{"v"}};
  w.expires = time->now() + 10s;
  CAF_CHECK(ask<write_receipt>("a", w));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  pass_time(11s);
  CAF_CHECK_EQUAL(value("a", "x"), "gone");
  CAF_CHECK_EQUAL(value("d", "x"), "gone");
  quiet_period();
  CAF_CHECK_EQUAL(kept("x"), "");
  CAF_CHECK_EQUAL(tombstones(), 0u);
}

CAF_TEST(an_older_version_does_not_return_when_the_newer_one_expires) {
  begin(2, 2);
  auto old = unbox(put("a", "x", "old"));
  for (const auto& name : {"a", "c", "d"})
    network->separate(name, "b");
  write_item w;
  w.id = "x";
  w.value = blob{std::string{"new"}};
  w.seen = old.context;
  w.expires = time->now() + 10s;
  CAF_CHECK(ask<write_receipt>("a", w));
  pass_time(11s);
  CAF_CHECK_EQUAL(value("a", "x"), "gone");
  network->heal();
  quiet_period();
  quiet_period();
  CAF_CHECK_EQUAL(value("b", "x"), "not-found");
  CAF_CHECK_EQUAL(kept("x"), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
