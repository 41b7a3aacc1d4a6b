#define CAF_SUITE shadow_repair
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  /// `x` is "2" at all holders but `name`, whose store is as it was at "1": nobody owes it anything.
  version_vector set_back(const std::string& name) {
    auto first = unbox(put("a", "x", "1"));
    get(name, "x");
    auto before = nodes[name].database->entries();
    auto second = unbox(put("a", "x", "2", first.context));
    CAF_CHECK_EQUAL(value(name, "x"), "2");
    nodes[name].stop();
    sched.run();
    nodes[name].database->entries() = before;
    restart(name);
    CAF_CHECK_EQUAL(value(name, "x"), "1");
    return second.context;
  }

  int writers_that_won(const write_item& each, size_t writers) {
    auto router = nodes["a"].context->handles.get()->router;
    std::vector<decltype(self->request(router, caf::infinite, each))> open;
    for (size_t i = 0; i < writers; ++i) {
      auto w = each;
      w.value = blob{std::to_string(i)};
      open.push_back(self->request(router, caf::infinite, std::move(w)));
    }
    sched.run();
    int won = 0, refused = 0;
    for (auto& handle : open)
      std::move(handle).receive([&](const write_receipt&) { ++won; },
                                [&](const caf::error& e) { refused += code_of(e) == ec::precondition_failed ? 1 : 0; });
    CAF_CHECK_EQUAL(static_cast<size_t>(won + refused), writers);
    return won;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shadow_repair_tests, fixture)

CAF_TEST(a_reader_with_a_newer_context_brings_its_region_up_to_date) {
  begin(1);
  auto seen = set_back("c");
  CAF_CHECK_EQUAL(unbox(get("c", "x", seen)).values.front().view(), "2");
  CAF_CHECK_EQUAL(value("c", "x"), "2");
}

CAF_TEST(an_asked_holder_that_turns_out_to_be_older_is_repaired) {
  for (auto leaves_a_shadow : {true, false}) {
    begin(1);
    auto seen = set_back("c");
    for (const auto& name : names)
      nodes[name].context->config.shadow_on_read = leaves_a_shadow;
    CAF_CHECK_EQUAL(unbox(get("d", "x", seen)).values.front().view(), "2"); // asks c first
    CAF_CHECK_EQUAL(value("c", "x"), "2");
    for (const auto& name : names)
      nodes[name].stop();
    sched.run();
  }
}

CAF_TEST(a_holder_that_is_too_old_for_a_forwarded_read_asks_the_others) {
  begin(1);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "eu", R"({"residency": ["region-a", "region-c"]})"}));
  auto first = unbox(put("a", "eu/x", "1"));
  get("c", "eu/x");
  auto before = nodes["c"].database->entries();
  auto second = unbox(put("a", "eu/x", "2", first.context));
  nodes["c"].stop();
  sched.run();
  nodes["c"].database->entries() = before;
  restart("c");
  CAF_CHECK_EQUAL(unbox(get("d", "eu/x", second.context)).values.front().view(), "2");
  CAF_CHECK_EQUAL(value("c", "eu/x"), "2");
}

CAF_TEST(an_update_is_sent_once_to_each_holder) {
  begin(4, 2);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow d:shadow");
  network->asked.clear();
  CAF_CHECK(put("c", "x", "2", first.context));
  CAF_CHECK_EQUAL(network->asked["replicate_item"], 3);
  CAF_CHECK_EQUAL(network->asked["fetch_item"], 0);
}

CAF_TEST(updates_to_one_holder_go_one_after_the_other_and_carry_the_newest_state) {
  begin(2);
  put("a", "x", "first");
  network->asked.clear();
  auto router = nodes["a"].context->handles.get()->router;
  for (int i = 0; i < 50; ++i)
    self->send(router, write_of("x", std::to_string(i)));
  sched.run();
  CAF_CHECK(network->asked["replicate_item"] <= 3);
  CAF_CHECK_EQUAL(unbox(get("b", "x")).values.size(), 51u);
  CAF_CHECK_EQUAL(value("b", "x"), value("a", "x"));
}

CAF_TEST(of_64_writers_with_one_etag_one_wins) {
  begin(2);
  write_item w;
  w.id = "x";
  w.condition = write_condition::if_absent;
  CAF_CHECK_EQUAL(writers_that_won(w, 64), 1);
  w.condition = write_condition::if_match;
  for (int round = 0; round < 20; ++round) {
    w.etag = unbox(get("a", "x")).versions.etag();
    CAF_CHECK_EQUAL(writers_that_won(w, 64), 1);
    CAF_CHECK_EQUAL(unbox(get("a", "x")).values.size(), 1u);
  }
  CAF_CHECK_EQUAL(value("b", "x"), value("a", "x"));
}

CAF_TEST(a_context_stays_short_enough_to_be_sent_back) {
  begin(2);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  auto seen = first.context;
  for (uint64_t i = 1; i < max_context_entries; ++i)
    seen.add({{i, 1}, 1});
  auto full = unbox(put("a", "x", "2", seen));
  CAF_CHECK_EQUAL(full.context.size(), max_context_entries);
  auto through = unbox(put("b", "x", "3", full.context)); // b has not written before
  CAF_CHECK_EQUAL(through.served_by, "a");
  seen = {};
  seen.add({{99, 99}, 1});
  auto over = unbox(put("a", "x", "4", seen));
  CAF_CHECK(version_vector::from_text(over.context.to_text()));
  auto read = unbox(get("b", "x"));
  CAF_CHECK_EQUAL(read.values.size(), 2u);
  CAF_CHECK(version_vector::from_text(read.versions.context.to_text()));
  CAF_CHECK(put("b", "x", "5", read.versions.context));
  CAF_CHECK_EQUAL(value("a", "x"), "5");
  CAF_CHECK_EQUAL(value("b", "x"), "5");
  network->separate("a", "b");
  auto view = *nodes["b"].context->cluster.get();
  for (auto& peer : view.peers)
    peer.state = peer_state::down;
  nodes["b"].context->cluster.set(view);
  CAF_CHECK_EQUAL(code_of(put("b", "x", "6").error()), ec::unavailable);
}

CAF_TEST(a_copy_that_a_rule_has_come_to_forbid_takes_nothing_newer) {
  begin(2, 2);
  auto first = unbox(put("a", "x/1", "old"));
  CAF_CHECK_EQUAL(copies("x/1"), "a:durable b:durable");
  for (const auto& name : {"a", "c", "d"})
    network->separate(name, "b");
  CAF_CHECK(put("a", "x/1", "newer", first.context));
  CAF_CHECK(ask<policy_list>("b", put_policy{policy_scope::type, "x", R"({"residency": ["region-a"]})"}));
  network->heal();
  auto& b = *nodes["b"].context;
  self->send(b.shard("x/1"), compare_a_v, std::string{"x/1"}, std::string{"a"});
  sched.run();
  for (const auto& [key, content] : nodes["b"].database->entries())
    CAF_CHECK(content.find("newer") == std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
