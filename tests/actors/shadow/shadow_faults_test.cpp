#define CAF_SUITE shadow_faults
#include "actors/shadow/replica.hpp"
#include "actors/shadow/store.hpp"
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

CAF_TEST_FIXTURE_SCOPE(shadow_faults_tests, cluster_fixture)

CAF_TEST(what_a_copy_is_is_its_own_to_say) {
  replica mine{"x", "b"};
  mine.join({});
  holder_map late; // what another holder knows of the copy that was here before
  late.merge("b", {1, holder_state::left});
  mine.merge(late);
  CAF_CHECK(mine.role() == holder_state::joining);
  mine.settle(holder_state::durable, {});
  auto epoch = mine.epoch_of("b");
  late.merge("b", {epoch, holder_state::left});
  mine.merge(late);
  CAF_CHECK(mine.role() == holder_state::durable);
  CAF_CHECK(mine.epoch_of("b") > epoch);
}

CAF_TEST(an_answer_from_before_a_rejoin_marks_nobody_as_left) {
  replica mine{"x", "a"};
  mine.join({});
  mine.add_joining("b");
  auto asked = mine.epoch_of("b");
  mine.add_joining("b");
  mine.mark_left("b", asked);
  CAF_CHECK(mine.record().holders.state_of("b") == holder_state::joining);
  mine.mark_left("b", mine.epoch_of("b"));
  CAF_CHECK(mine.record().holders.state_of("b") == holder_state::left);
}

CAF_TEST(a_write_behind_one_that_was_not_stored_does_not_damage_the_item) {
  begin(1);
  put("a", "x", "1");
  nodes["a"].database->longest_value = 1000;
  auto router = nodes["a"].context->handles.get()->router;
  auto large = self->request(router, caf::infinite, write_of("x", std::string(max_group_bytes + 1, 'x')));
  auto small = self->request(router, caf::infinite, write_of("x", "2"));
  sched.run();
  std::move(large).receive([](const write_receipt&) { CAF_FAIL("stored on a full disk"); }, [](const caf::error&) {});
  auto stored = false;
  std::move(small).receive([&](const write_receipt&) { stored = true; }, [](const caf::error&) {});
  CAF_CHECK_EQUAL(value("a", "x"), stored ? "1|2" : "1");
  restart("a");
  CAF_CHECK_EQUAL(value("a", "x"), stored ? "1|2" : "1");
}

CAF_TEST(a_store_that_could_not_answer_once_is_asked_again) {
  begin(1);
  put("a", "x", "1");
  restart("a");
  nodes["a"].database->fail_reads = true;
  CAF_CHECK_EQUAL(code_of(get("a", "x").error()), ec::store_failed);
  nodes["a"].database->fail_reads = false;
  CAF_CHECK_EQUAL(value("a", "x"), "1");
}

CAF_TEST(a_missing_value_is_named) {
  begin(1);
  put("a", "x", "1");
  restart("a");
  auto& entries = nodes["a"].database->entries();
  std::erase_if(entries, [](const auto& entry) { return entry.first.front() == 'v'; });
  CAF_CHECK_EQUAL(code_of(get("a", "x").error()), ec::store_corrupt);
}

CAF_TEST(a_write_before_the_holders_are_known_reaches_them_later) {
  begin(2);
  auto first = unbox(put("a", "x", "1"));
  auto view = *nodes["a"].context->cluster.get();
  nodes["a"].context->cluster.set({});
  CAF_CHECK(put("a", "x", "2", first.context));
  nodes["a"].context->cluster.set(std::move(view));
  pass_time(1s);
  heartbeats();
  CAF_CHECK_EQUAL(value("b", "x"), "2");
}

CAF_TEST(a_receipt_does_not_replace_what_its_writer_never_saw) {
  begin(1);
  put("a", "x", "1");
  network->separate("a", "b");
  put("b", "x", "2");
  network->heal();
  heartbeats();
  heartbeats();
  auto blind = unbox(put("a", "x", "3"));
  auto next = unbox(put("a", "x", "4", blind.context));
  CAF_CHECK(value("a", "x").find("2") != std::string::npos);
  CAF_CHECK(value("a", "x").find("3") == std::string::npos);
}

CAF_TEST(a_read_at_any_moment_of_the_first_write_finds_it_or_nothing) {
  begin(1);
  auto router = nodes["a"].context->handles.get()->router;
  auto found = 0, absent = 0;
  for (int steps = 0; steps < 60; ++steps) {
    auto id = "x/" + std::to_string(steps);
    auto writing = self->request(router, caf::infinite, write_of(id, "1"));
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    auto reading = self->request(router, caf::infinite, read_item{id, {}, {}, false, false});
    sched.run();
    std::move(writing).receive([](const write_receipt&) {}, [](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
    std::move(reading).receive([&](const item_versions& x) { found += x.values.front().view() == "1" ? 1 : 0; },
                               [&](const caf::error& e) { absent += code_of(e) == ec::not_found ? 1 : 0; });
  }
  CAF_CHECK(found > 0);
  CAF_CHECK_EQUAL(found + absent, 60);
}

CAF_TEST(a_repeated_write_is_shown_once_in_other_regions_as_well) {
  begin(1);
  network->separate("a", "b");
  auto w = write_of("x", "1");
  w.request_id = "r";
  CAF_CHECK(ask<write_receipt>("a", w));
  CAF_CHECK(ask<write_receipt>("b", w));
  network->heal();
  heartbeats();
  heartbeats();
  CAF_CHECK_EQUAL(unbox(get("d", "x")).values.size(), 1u);
}

CAF_TEST(an_item_whose_regions_are_away_is_not_called_absent) {
  begin(1);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "eu", R"({"residency": ["region-a"]})"}));
  CAF_CHECK(put("a", "eu/1", "v"));
  CAF_CHECK_EQUAL(value("c", "eu/1"), "v");
  CAF_CHECK_EQUAL(code_of(get("c", "eu/2").error()), ec::not_found);
  network->separate("a", "c");
  CAF_CHECK_EQUAL(code_of(get("c", "eu/1").error()), ec::peer_gone);
}

CAF_TEST_FIXTURE_SCOPE_END()
