#define CAF_SUITE repair
#include "actors/repair/repair.hpp"

#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  std::set<std::string> lost;
  bool unreaped = false;

  item_record record(std::map<std::string, holder_state> who, bool deleted = false) {
    item_record r;
    r.id = "x";
    for (const auto& [node, state] : who)
      r.holders.merge(node, {1, state});
    sibling version;
    version.bytes = 10;
    version.deleted = deleted;
    r.versions.write({}, {1, 1}, version);
    return r;
  }

  repair_need need(const item_record& r, const std::string& self, std::vector<std::string> candidates = {"c", "d"}) {
    policy rules;
    rules.factor = 3;
    rules.min_copies = 2;
    repair_scene scene;
    scene.self = self;
    scene.is_removed = [](const std::string&) { return false; };
    scene.is_lost = [this](const std::string& node) { return lost.count(node) > 0; };
    scene.is_doubted = [](const std::string&) { return false; };
    scene.unreaped = unreaped;
    scene.candidates = [&] { return candidates; };
    return needs_repair(r, rules, scene);
  }

  /// As membership would: every other node sees `name` in that state.
  void see(const std::string& name, peer_state state, duration away = {}) {
    for (auto& [other, node] : nodes)
      node.context->cluster.update([&](cluster_view& view) {
        for (auto& peer : view.peers)
          if (peer.identity.node == name) {
            peer.state = state;
            peer.away_since_ms = state == peer_state::down ? node.context->steady_ms() - away.count() : 0;
          }
      });
  }

  void forget(const std::string& name) {
    for (auto& [other, node] : nodes)
      node.context->cluster.update([&](cluster_view& view) {
        std::erase_if(view.peers, [&](const peer_view& peer) { return peer.identity.node == name; });
      });
  }

  expected<node_removal> remove(const std::string& at, const std::string& name, bool force = false) {
    return ask<node_removal>(at, remove_node{name, force});
  }
};

using holding = std::map<std::string, holder_state>;
constexpr auto durable = holder_state::durable;
constexpr auto leased = holder_state::shadow;
constexpr auto shadow_copy = holder_state::shadow;

} // namespace

CAF_TEST_FIXTURE_SCOPE(repair_tests, fixture)

CAF_TEST(one_of_the_holders_that_are_left_repairs_and_the_others_do_not) {
  lost = {"a"};
  auto r = record(holding{{"a", durable}, {"b", durable}, {"c", shadow_copy}});
  std::map<std::string, int> repaired;
  for (int i = 0; i < 100; ++i) {
    r.id = "x" + std::to_string(i);
    auto by_b = need(r, "b").place.has_value();
    CAF_CHECK(by_b != need(r, "c").place.has_value());
    ++repaired[by_b ? "b" : "c"];
  }
  CAF_CHECK(repaired["b"] > 30 && repaired["c"] > 30);
  lost = {};
  CAF_CHECK(!need(r, "b").place && !need(r, "c").place);
}

CAF_TEST(one_of_the_shadows_repairs_when_no_durable_holder_is_left) {
  lost = {"a", "b"};
  auto r = record(holding{{"a", durable}, {"b", durable}, {"c", shadow_copy}, {"d", shadow_copy}});
  CAF_CHECK(need(r, "c").place.has_value() != need(r, "d").place.has_value());
}

CAF_TEST(a_repair_asks_for_as_many_copies_as_there_were) {
  lost = {"a"};
  auto r = record(holding{{"a", durable}, {"b", durable}});
  auto wish = *need(r, "b").place;
  CAF_CHECK_EQUAL(wish.factor, 2u);
  CAF_CHECK_EQUAL(wish.min_copies, 2u);
  CAF_CHECK((wish.away == std::vector<std::string>{"a"}));
}

CAF_TEST(a_shadow_that_was_lost_is_made_anew_up_to_the_factor) {
  lost = {"c"};
  auto r = record(holding{{"a", durable}, {"b", durable}, {"c", shadow_copy}});
  CAF_CHECK(need(r, "a", {"d"}).place.has_value() != need(r, "b", {"d"}).place.has_value());
  CAF_CHECK(!need(r, "a", {}).place && !need(r, "b", {}).place);
  r.holders.merge("d", {1, holder_state::joining});
  CAF_CHECK(!need(r, "a", {"e"}).place && !need(r, "b", {"e"}).place);
  r.holders.merge("d", {2, shadow_copy});
  CAF_CHECK(!need(r, "a", {"e"}).place && !need(r, "b", {"e"}).place);
}

CAF_TEST(copies_that_could_not_be_made_at_first_access_are_made_when_a_node_is_back) {
  begin(3, 2);
  for (auto near : {"a", "b"})
    for (auto far : {"c", "d"})
      network->separate(near, far);
  see("c", peer_state::down, 61s);
  see("d", peer_state::down, 61s);
  CAF_CHECK(put("a", "x", "1"));
  pass_time(10s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  network->heal();
  see("c", peer_state::live);
  see("d", peer_state::live);
  pass_time(10s);
  CAF_CHECK_EQUAL(copies("x").substr(0, 19), "a:durable b:durable");
  CAF_CHECK_EQUAL(holders("a", "x").current().size(), 3u);
}

CAF_TEST(a_copy_that_an_outage_made_beyond_the_factor_goes_when_the_lost_node_is_back) {
  begin(3, 2);
  for (auto id : {"x", "read"})
    CAF_CHECK(put("a", id, "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow");
  network->separate("a", "c");
  network->separate("b", "c");
  see("c", peer_state::down, 61s);
  pass_time(10s);
  for (auto id : {"x", "read"})
    CAF_CHECK_EQUAL(copies(id), "a:durable b:durable c:shadow d:shadow");
  time->advance(1s);
  get("d", "read");
  network->heal();
  see("c", peer_state::live);
  pass_time(10s);
  pass_time(10s);
  for (auto id : {"x", "read"})
    CAF_CHECK_EQUAL(holders("a", id).current().size(), 3u);
  CAF_CHECK(copies("read").find("d:shadow") != std::string::npos); // that one is used
}

CAF_TEST(no_copy_goes_while_another_holder_may_be_lost) {
  begin(3, 2);
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i)
    ids.push_back("x" + std::to_string(i));
  for (const auto& id : ids)
    CAF_CHECK(put("a", id, "1"));
  network->separate("a", "c");
  network->separate("b", "c");
  see("c", peer_state::down, 61s);
  pass_time(10s);
  for (const auto& id : ids)
    CAF_CHECK_EQUAL(copies(id), "a:durable b:durable c:shadow d:shadow");
  network->heal();
  see("c", peer_state::live);
  for (auto other : {"a", "c", "d"})
    network->separate("b", other);
  see("b", peer_state::down);
  pass_time(10s);
  pass_time(10s);
  for (const auto& id : ids)
    CAF_CHECK_EQUAL(copies(id), "a:durable b:durable c:durable d:shadow");
}

CAF_TEST(tombstones_and_items_that_nobody_can_take_are_left_alone) {
  lost = {"a"};
  CAF_CHECK(!need(record(holding{{"a", durable}, {"b", durable}}, true), "b").place);
  CAF_CHECK(!need(record(holding{{"a", durable}, {"b", durable}}), "b", {}).place);
}

CAF_TEST(a_shadow_of_a_tombstone_becomes_durable_when_a_durable_holder_is_lost) {
  lost = {"a"};
  auto deleted = record(holding{{"a", durable}, {"b", durable}, {"c", leased}}, true);
  auto found = need(deleted, by_rank({"b", "c"}, deleted.id).front());
  CAF_REQUIRE(found.place);
  CAF_CHECK(found.place->candidates.empty());
}

CAF_TEST(the_reaper_of_an_old_tombstone_is_asked_whether_it_still_has_one) {
  auto deleted = record(holding{{"a", durable}, {"b", durable}}, true);
  auto reaper = reaper_of(deleted);
  auto other = reaper == "a" ? "b" : "a";
  CAF_CHECK(need(deleted, other).verify.empty());
  unreaped = true;
  CAF_CHECK_EQUAL(need(deleted, other).verify, std::vector<std::string>{reaper});
  CAF_CHECK(need(deleted, reaper).verify.empty());
}

CAF_TEST(fewer_repairs_are_under_way_while_they_fail) {
  CAF_CHECK_EQUAL(next_window(512, true, 512), 512u);
  CAF_CHECK_EQUAL(next_window(512, false, 512), 256u);
  CAF_CHECK_EQUAL(next_window(1, false, 512), 1u);
  CAF_CHECK_EQUAL(next_window(1, true, 512), 2u);
}

CAF_TEST(durable_copies_are_made_anew_when_a_node_is_away_for_long) {
  config.repair_after = 60s;
  begin(2, 2);
  for (int i = 0; i < 30; ++i)
    CAF_CHECK(put("a", "x" + std::to_string(i), "1"));
  CAF_CHECK_EQUAL(copies("x7"), "a:durable b:durable");
  network->separate("a", "b");
  see("b", peer_state::down);
  pass_time(10s);
  CAF_CHECK_EQUAL(copies("x7"), "a:durable b:durable");
  see("b", peer_state::down, 61s);
  pass_time(10s);
  for (int i = 0; i < 30; ++i)
    CAF_CHECK_EQUAL(copies("x" + std::to_string(i)), "a:durable b:durable c:durable");
  CAF_CHECK(!nodes["a"].context->counters.repair_active);
  CAF_CHECK_EQUAL(nodes["a"].context->counters.repair_repaired.load(), 30u);
  CAF_CHECK_EQUAL(value("c", "x7"), "1");
}

CAF_TEST(a_shadow_that_is_there_becomes_durable_before_a_new_copy_is_made) {
  begin(3, 2);
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow");
  network->separate("a", "b");
  network->separate("c", "b");
  see("b", peer_state::down, 61s);
  pass_time(10s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:durable d:shadow");
}

CAF_TEST(the_factor_is_back_after_the_loss_of_a_shadow) {
  begin(3, 2);
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow");
  network->separate("a", "c");
  network->separate("b", "c");
  see("c", peer_state::down, 61s);
  pass_time(10s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow d:shadow");
}

CAF_TEST(a_repair_keeps_to_the_residency_rules) {
  begin(2, 2);
  CAF_CHECK(ask<policy_list>(
      "a", put_policy{policy_scope::type, "x", R"({"residency": ["region-a", "region-b", "region-d"]})"}));
  CAF_CHECK(put("a", "x/1", "1"));
  network->separate("a", "b");
  see("b", peer_state::down, 61s);
  pass_time(10s);
  CAF_CHECK_EQUAL(copies("x/1"), "a:durable b:durable d:durable");
}

CAF_TEST(a_copy_that_was_refused_at_first_access_is_made_later) {
  begin(2, 2);
  network->separate("a", "b");
  network->separate("a", "c");
  network->separate("a", "d");
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
  network->heal();
  pass_time(10s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
}

CAF_TEST(what_a_node_with_a_new_disk_no_longer_holds_is_made_anew) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  pass_time(1s);
  nodes["b"].stop();
  sched.run();
  nodes["b"].database = std::make_shared<memory_store>();
  boot("b");
  connect(nodes, sys, network, names);
  sched.run();
  pass_time(10s);
  pass_time(10s);
  CAF_CHECK_EQUAL(holders("a", "x").durable().size(), 2u);
  for (const auto& node : holders("a", "x").durable())
    CAF_CHECK(copies("x").find(node + ":durable") != std::string::npos);
}

CAF_TEST(a_live_node_is_only_removed_by_force) {
  begin(2, 2);
  CAF_CHECK_EQUAL(code_of(remove("a", "b").error()), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_of(remove("a", "a").error()), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_of(remove("a", "nobody").error()), ec::not_found);
  CAF_CHECK(remove("a", "b", true));
  CAF_CHECK(nodes["c"].context->removed.get()->names("b"));
  forget("b");
  CAF_CHECK(remove("a", "b")); // safe to repeat
}

CAF_TEST(a_removed_node_leaves_the_holders_everywhere_and_its_copies_are_made_anew) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  auto receipt = unbox(put("a", "gone", "1"));
  for (auto other : {"a", "c", "d"})
    network->separate("b", other);
  nodes["b"].stop();
  see("b", peer_state::down);
  CAF_CHECK(put("a", "x", "2", unbox(get("a", "x")).versions.context));
  write_item d;
  d.id = "gone";
  d.deleted = true;
  d.seen = receipt.context;
  CAF_CHECK(ask<write_receipt>("a", d));
  pass_time(10s); // the updates become hints
  CAF_CHECK(remove("a", "b"));
  forget("b");
  pass_time(10s);
  CAF_CHECK_EQUAL(copies("x").substr(0, 9), "a:durable");
  CAF_CHECK(holders("a", "x").state_of("b") == holder_state::left);
  CAF_CHECK(holders("c", "x").state_of("b") == holder_state::left);
  CAF_CHECK(holders("c", "x").state_of("c") == durable);
  CAF_CHECK(holders("a", "gone").state_of("b") == holder_state::left);
  for (const auto& [key, value] : nodes["a"].database->entries())
    CAF_CHECK(!keys::hint_id("b", key));
}

CAF_TEST(an_update_that_a_removed_node_does_not_get_leaves_no_hint) {
  begin(2, 2);
  CAF_CHECK(put("a", "x", "1"));
  for (auto other : {"a", "c", "d"})
    network->separate("b", other);
  see("b", peer_state::down);
  CAF_CHECK(remove("a", "b"));
  forget("b");
  CAF_CHECK(put("a", "x", "2", unbox(get("a", "x")).versions.context)); // before the repair has come to it
  CAF_CHECK_EQUAL(nodes["a"].context->counters.hints.load(), 0u);
  for (const auto& [key, value] : nodes["a"].database->entries())
    CAF_CHECK(!keys::hint_id("b", key));
}

CAF_TEST(a_node_that_was_away_learns_of_a_removal_and_keeps_it_over_a_restart) {
  begin(2, 2);
  heartbeats();
  network->separate("a", "c");
  network->separate("b", "c");
  network->separate("d", "c");
  see("b", peer_state::down);
  CAF_CHECK(remove("a", "b"));
  CAF_CHECK(!nodes["c"].context->removed.get()->names("b"));
  network->heal();
  heartbeats();
  CAF_CHECK(nodes["c"].context->removed.get()->names("b"));
  CAF_CHECK(nodes["c"].context->removed.get()->refuses("b", nodes["b"].context->self.incarnation));
  restart("c");
  CAF_CHECK(nodes["c"].context->removed.get()->names("b"));
}

CAF_TEST(a_node_that_was_removed_takes_no_more_requests) {
  begin(2, 2);
  CAF_CHECK(remove("a", "b", true));
  CAF_CHECK_EQUAL(code_of(put("b", "x", "1").error()), ec::unavailable);
}

CAF_TEST_FIXTURE_SCOPE_END()
