#define CAF_SUITE network
#include "runtime/base/process.hpp"
#include "tests/net/test_node.hpp"

#include <caf/test/dsl.hpp>

#include <fstream>

using namespace gnomon;
using namespace gnomon::test;

CAF_TEST(three_nodes_find_each_other_through_one_seed) {
  test_cluster cluster;
  auto& a = cluster.start("a");
  auto& b = cluster.start("b", {a.address()});
  auto& c = cluster.start("c", {a.address()});
  for (auto node : {&a, &b, &c})
    CAF_CHECK(eventually([&] { return node->live_peers() == 2; }));
  CAF_CHECK(eventually([&] { return b.rtt_to("c") >= 0; }));
  for (auto node : {&a, &c}) { // their regions are not real: they read no slices and look for no hints
    node->context->counters.shards_ready = shard_count;
    node->context->owed.found_no_hints("b", node->context->owed.hints_made("b"));
  }
  CAF_CHECK(eventually([&] { return b.context->is_fresh(); }));
}

CAF_TEST(a_large_value_and_small_messages_travel_side_by_side) {
  test_cluster cluster;
  auto& a = cluster.start("a");
  auto& b = cluster.start("b", {a.address()});
  CAF_REQUIRE(eventually([&] { return a.live_peers() == 1 && b.live_peers() == 1; }));
  caf::scoped_actor self{a.system, true};
  auto link = a.link_to("b");
  for (auto megabytes : {0, 1, 10}) {
    fetch_item big{std::to_string(megabytes << 20), "a"};
    auto answer = self->request(link, 10s, traffic::client, big);
    auto small = self->request(link, 10s, traffic::client, fetch_item{"100", "a"});
    small.receive([&](const item_copy& copy) { CAF_CHECK_EQUAL(copy.values.at(0).size(), 100u); },
                  [&](const caf::error& err) { CAF_FAIL(sentence_of(err)); });
    answer.receive(
        [&](const item_copy& copy) { CAF_CHECK_EQUAL(copy.values.at(0).size(), static_cast<size_t>(megabytes) << 20); },
        [&](const caf::error& err) { CAF_FAIL(sentence_of(err)); });
  }
}

CAF_TEST(a_restarted_peer_is_found_again_and_what_was_pending_fails) {
  test_cluster cluster;
  auto& a = cluster.start("a");
  auto& b = cluster.start("b", {a.address()});
  CAF_REQUIRE(eventually([&] { return a.live_peers() == 1 && b.live_peers() == 1; }));
  caf::scoped_actor self{a.system, true};
  auto link = a.link_to("b");
  auto held = self->request(link, 10s, traffic::client, fetch_item{"hold", "a"});
  std::this_thread::sleep_for(200ms);
  cluster.stop("b");
  held.receive([&](const item_copy&) { CAF_FAIL("answered by a dead node"); },
               [&](const caf::error& err) { CAF_CHECK_EQUAL(code_of(err), ec::peer_gone); });
  cluster.start("b", {a.address()});
  CAF_CHECK(eventually([&] { return a.live_peers() == 1; }));
  auto ok = false;
  CAF_CHECK(eventually([&] {
    self->request(link, 2s, traffic::client, fetch_item{"7", "a"})
        .receive([&](const item_copy&) { ok = true; }, [](const caf::error&) {});
    return ok;
  }));
}

CAF_TEST(a_second_node_of_a_region_and_a_second_node_of_a_name_are_refused_with_the_reason) {
  test_cluster cluster;
  auto& a = cluster.start("a");
  auto& b = cluster.start("b", {a.address()});
  CAF_REQUIRE(eventually([&] { return a.live_peers() == 1; }));
  CAF_CHECK_EQUAL(b.join(), "");
  auto& twin = cluster.start("x", {a.address()}, "region-b");
  CAF_CHECK_EQUAL(twin.join(), "region region-b already has node b at " + b.address() + "; one node a region");
  auto& sibling = cluster.start("y", {a.address()}, "region-a");
  CAF_CHECK_EQUAL(sibling.join(), "region region-a already has node a at " + a.address() + "; one node a region");
  auto& smaller = cluster.start("A", {b.address()}, "region-b");
  CAF_CHECK_EQUAL(smaller.join(), "region region-b already has node b at " + b.address() + "; one node a region");
  CAF_CHECK_EQUAL(a.live_peers(), 1u);
  cluster.forget("b"); // keeps running under another key
  auto& namesake = cluster.start("b", {a.address()}, "region-z");
  CAF_CHECK_EQUAL(namesake.join().substr(0, 19), "the name b is taken");
}

CAF_TEST(a_node_whose_seeds_do_not_answer_starts_alone_and_calls_nothing_current) {
  test_cluster cluster;
  auto& a = cluster.start("a", {"127.0.0.1:1"});
  CAF_CHECK_EQUAL(a.join(), "");
  CAF_CHECK(!a.context->is_fresh());
}

CAF_TEST(a_link_delay_shows_in_the_round_trip) {
  test_cluster cluster;
  auto& a = cluster.start("a", {}, {}, {{"b", 40ms}});
  auto& b = cluster.start("b", {a.address()}, {}, {{"a", 40ms}});
  CAF_REQUIRE(eventually([&] { return a.live_peers() == 1 && b.live_peers() == 1; }));
  CAF_CHECK(eventually([&] { return a.rtt_to("b") >= 80; }));
  CAF_CHECK(a.rtt_to("b") < 500);
}

CAF_TEST(a_peer_that_stands_still_costs_a_bounded_amount_of_memory) {
  test_cluster cluster;
  auto& a = cluster.start("a");
  auto& b = cluster.start("b", {a.address()});
  CAF_REQUIRE(eventually([&] { return a.live_peers() == 1 && b.live_peers() == 1; }));
  auto before = resident_bytes();
  std::vector<caf::actor> sleepers; // one for each worker thread of b: nothing there runs
  for (int i = 0; i < 2; ++i)
    sleepers.push_back(b.system.spawn([](caf::event_based_actor*) { std::this_thread::sleep_for(1500ms); }));
  caf::scoped_actor self{a.system, true};
  auto link = a.link_to("b");
  replicate_item update;
  update.copy.id = "item";
  update.copy.values.push_back(blob{std::string(10u << 20, 'x')});
  std::vector<decltype(self->request(link, 10s, traffic::repair, update))> answers;
  for (int i = 0; i < 30; ++i)
    answers.push_back(self->request(link, 10s, traffic::repair, update));
  size_t overloaded = 0;
  for (auto& answer : answers)
    answer.receive([](const replicate_ack&) {},
                   [&](const caf::error& reason) { overloaded += code_of(reason) == ec::overloaded; });
  CAF_CHECK(overloaded >= 24);
  auto grown = resident_bytes() - std::min(resident_bytes(), before);
  CAF_MESSAGE("grown by " << (grown >> 20) << " MB while 300 MB were offered");
  CAF_CHECK(sanitizer_takes_memory || grown < 160u << 20);
  auto ok = false;
  CAF_CHECK(eventually([&] {
    self->request(link, 2s, traffic::client, fetch_item{"7", "a"})
        .receive([&](const item_copy&) { ok = true; }, [](const caf::error&) {});
    return ok;
  }));
}

CAF_TEST(a_node_hears_when_it_can_no_longer_reach_others) {
  test_cluster cluster;
  auto& a = cluster.start("a");
  std::atomic<int> told{0};
  a.net->when_failed([&](std::string_view part) {
    CAF_CHECK_EQUAL(part, "dialer");
    ++told;
  });
  caf::anon_send_exit(a.net->dialer(), caf::exit_reason::kill);
  CAF_CHECK(eventually([&] { return told == 1; }));
}
