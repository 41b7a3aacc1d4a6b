#define CAF_SUITE shadow_delivery
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  void settle(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      heartbeats();
      pass_time(1s);
    }
  }

  std::string& stored(const std::string& name, const std::string& key) {
    return nodes[name].database->entries()[key];
  }

  std::string value_key(const std::string& name, const std::string& id) {
    return keys::value(id, unbox(decode_record(stored(name, keys::record(id)))).versions.siblings.front().id);
  }

  size_t values_on_disk(const std::string& name, const std::string& id) {
    auto range = keys::values(id);
    return unbox(nodes[name].database->scan(range.first, range.last, 10, true)).entries.size();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shadow_delivery_tests, fixture)

CAF_TEST(an_item_that_a_peer_cannot_take_does_not_keep_it_from_being_current) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  nodes["b"].database->longest_value = 1000;
  CAF_CHECK(put("a", "x", std::string(5000, 'x'), first.context));
  settle(3);
  CAF_CHECK(!nodes["a"].context->owed.of("b").hints);
  CAF_CHECK_EQUAL(nodes["a"].context->counters.undelivered.load(), 1u);
  auto seen_at_b = unbox(get("b", "x")); // from elsewhere
  CAF_CHECK_EQUAL(seen_at_b.values.front().size(), 5000u);
  network->separate("a", "b");
  CAF_CHECK_EQUAL(unbox(get("b", "x")).values.front().view(), "1");
  CAF_CHECK(unbox(get("b", "x")).stale);
  network->heal();
  nodes["b"].database->longest_value = SIZE_MAX; // what it cannot take now it may take later
  time->advance(70s);
  settle(3);
  CAF_CHECK_EQUAL(value("b", "x").size(), 5000u);
  settle(3);
  CAF_CHECK_EQUAL(nodes["a"].context->counters.undelivered.load(), 0u);
}

CAF_TEST(a_copy_is_not_behind_for_ever_what_went_with_a_disk) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  nodes["b"].database->longest_value = 1000;
  CAF_CHECK(put("a", "x", std::string(5000, 'x'), first.context));
  settle(3);
  network->separate("a", "b");
  CAF_CHECK(unbox(get("b", "x")).stale);
  nodes["a"].database->entries().clear();
  restart("a");
  network->heal();
  time->advance(70s);
  for (int i = 0; i < 100; ++i)
    settle(1);
  auto got = unbox(get("b", "x"));
  CAF_CHECK(!got.stale);
  CAF_CHECK_EQUAL(got.values.front().view(), "1");
}

CAF_TEST(many_items_that_a_peer_cannot_take_do_not_keep_it_from_being_current_either) {
  begin(2, 2);
  std::map<std::string, version_vector> seen;
  for (int i = 0; i < 700; ++i) // more than a page of hints
    seen["x/" + std::to_string(i)] = unbox(put("a", "x/" + std::to_string(i), "1")).context;
  nodes["b"].database->longest_value = 1000;
  for (const auto& [id, context] : seen)
    put("a", id, std::string(5000, 'x'), context);
  settle(40);
  CAF_CHECK(!nodes["a"].context->owed.of("b").hints);
}

CAF_TEST(a_hint_for_a_peer_that_is_away_is_waited_for) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  network->separate("a", "b");
  CAF_CHECK(put("a", "x", "2", first.context));
  CAF_CHECK(nodes["a"].context->owed.of("b").hints);
  network->heal();
  settle(3);
  CAF_CHECK_EQUAL(value("b", "x"), "2");
  CAF_CHECK(!nodes["a"].context->owed.of("b").hints);
}

CAF_TEST(versions_too_long_for_one_message_travel_one_by_one) {
  begin(2, 2);
  std::string large(40u << 20, 'a');
  for (auto other : {"a", "c", "d"})
    network->separate("b", other);
  CAF_CHECK(put("a", "x", large));
  CAF_CHECK(put("b", "x", std::string(40u << 20, 'b')));
  network->heal();
  network->asked.clear();
  settle(4);
  for (auto name : {"a", "b", "d"}) { // d by a search
    auto got = unbox(get(name, "x"));
    CAF_REQUIRE_EQUAL(got.values.size(), 2u);
    CAF_CHECK_EQUAL(got.values[0].size(), large.size());
    CAF_CHECK_EQUAL(got.values[1].size(), large.size());
  }
  CAF_CHECK(network->asked["fetch_value"] > 0);
  CAF_CHECK_EQUAL(values_on_disk("a", "x"), 3u); // with the fence
  CAF_CHECK_EQUAL(values_on_disk("b", "x"), 3u);
  CAF_CHECK(put("b", "x", "one", unbox(get("b", "x")).versions.context));
  settle(2);
  CAF_CHECK_EQUAL(value("a", "x"), "one");
}

CAF_TEST(a_record_that_cannot_be_read_makes_room_for_a_new_copy) {
  begin(2, 2);
  put("a", "x", "1");
  restart("b");
  stored("b", keys::record("x")).back() ^= 1;
  CAF_CHECK(put("a", "x", "2", unbox(get("a", "x")).versions.context));
  settle(3);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  CAF_CHECK_EQUAL(value("b", "x"), "2");
  CAF_CHECK_EQUAL(values_on_disk("b", "x"), 1u);
  CAF_CHECK(!nodes["a"].context->owed.of("b").hints);
  CAF_CHECK_EQUAL(nodes["b"].context->counters.copies_mended.load(), 1u);
  CAF_CHECK(put("b", "x", "3", unbox(get("b", "x")).versions.context));
  CAF_CHECK_EQUAL(value("a", "x"), "3");
}

CAF_TEST(a_read_of_a_damaged_copy_is_answered_with_a_sound_one) {
  begin(2, 2);
  for (auto id : {"record", "value", "missing"})
    put("a", id, "1");
  restart("b");
  stored("b", keys::record("record")).back() ^= 1;
  stored("b", value_key("b", "value")).back() ^= 1;
  nodes["b"].database->entries().erase(value_key("b", "missing"));
  for (auto id : {"record", "value", "missing"}) {
    CAF_CHECK_EQUAL(value("b", id), "1");
    CAF_CHECK_EQUAL(copies(id), "a:durable b:durable");
  }
  restart("b");
  for (auto id : {"record", "value", "missing"})
    CAF_CHECK_EQUAL(value("b", id), "1");
  CAF_CHECK_EQUAL(nodes["b"].context->counters.copies_damaged.load(), 0u);
}

CAF_TEST(a_damaged_copy_is_mended_once_a_sound_one_can_be_reached_again) {
  begin(2, 2);
  put("a", "x", "1");
  restart("b");
  stored("b", value_key("b", "x")).back() ^= 1;
  for (auto other : {"a", "c", "d"})
    network->separate("b", other);
  CAF_CHECK(!get("b", "x"));
  network->heal();
  CAF_CHECK(put("a", "x", "2", unbox(get("a", "x")).versions.context));
  for (int i = 0; i < 40; ++i) // the shadow is asked again and again, and so stays awake
    settle(1);
  CAF_CHECK_EQUAL(value("b", "x"), "2");
  CAF_CHECK_EQUAL(nodes["b"].context->counters.copies_mended.load(), 1u);
}

CAF_TEST(a_version_that_only_a_damaged_copy_has_is_kept_when_its_value_is_sound) {
  begin(2, 2);
  put("a", "x", "1");
  network->separate("a", "b");
  auto damaged = value_key("b", "x");
  CAF_CHECK(put("b", "x", "2"));
  restart("b");
  network->heal();
  stored("b", damaged).back() ^= 1;
  CAF_CHECK_EQUAL(unbox(get("b", "x")).values.size(), 2u);
  settle(3);
  CAF_CHECK_EQUAL(unbox(get("a", "x")).values.size(), 2u);
}

CAF_TEST(a_delete_without_a_context_does_not_pass_over_a_damaged_copy) {
  begin(1, 1);
  auto first = unbox(put("a", "x", "1"));
  network->separate("a", "b");
  CAF_CHECK(put("b", "x", "2")); // a twin
  auto damaged = value_key("b", "x");
  restart("b");
  stored("b", damaged).back() ^= 1;
  network->heal();
  network->separate("b", "d"); // which might have what b has lost
  write_item remove;
  remove.id = "x";
  remove.deleted = true;
  CAF_CHECK_EQUAL(code_of(ask<write_receipt>("a", remove).error()), ec::unavailable);
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  remove.seen = first.context;
  CAF_CHECK(ask<write_receipt>("a", remove));
}

CAF_TEST(a_damaged_copy_makes_room_once_every_node_has_said_that_it_lacks_the_lost_version) {
  begin(2, 2);
  auto first = unbox(put("a", "x", "1"));
  network->separate("a", "b");
  CAF_CHECK(put("b", "x", "2", first.context)); // never delivered
  auto damaged = value_key("b", "x");
  restart("b");
  stored("b", damaged).back() ^= 1;
  network->heal();
  network->separate("b", "d");
  CAF_CHECK_EQUAL(code_of(get("b", "x").error()), ec::store_corrupt);
  network->heal();
  for (int i = 0; i < 40; ++i)
    settle(1);
  CAF_CHECK_EQUAL(value("b", "x"), "1");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  CAF_CHECK(put("b", "x", "3", unbox(get("b", "x")).versions.context));
  CAF_CHECK_EQUAL(value("a", "x"), "3");
}

CAF_TEST(a_damaged_copy_with_a_sound_version_that_no_other_node_has_stays) {
  begin(2, 2);
  put("a", "x", "1");
  network->separate("a", "b");
  CAF_CHECK(put("b", "x", "2"));
  CAF_CHECK(put("b", "x", "3"));
  auto known_at_a = unbox(decode_record(stored("a", keys::record("x")))).versions.context;
  auto only_at_b = unbox(decode_record(stored("b", keys::record("x")))).versions.siblings;
  std::erase_if(only_at_b, [&](const sibling& s) { return known_at_a.covers(s.id); });
  CAF_REQUIRE_EQUAL(only_at_b.size(), 2u);
  restart("b");
  stored("b", keys::value("x", only_at_b.back().id)).back() ^= 1;
  network->heal();
  CAF_CHECK_EQUAL(code_of(get("b", "x").error()), ec::store_corrupt);
}

CAF_TEST(a_damaged_copy_that_nobody_else_has_stays_and_is_named) {
  begin(1, 1);
  put("a", "x", "1");
  restart("a");
  auto before = stored("a", keys::record("x"));
  before.back() ^= 1;
  stored("a", keys::record("x")) = before;
  auto got = get("a", "x");
  CAF_REQUIRE(!got);
  CAF_CHECK_EQUAL(code_of(got.error()), ec::store_corrupt);
  CAF_CHECK_EQUAL(stored("a", keys::record("x")), before);
  CAF_CHECK_EQUAL(nodes["a"].context->counters.copies_damaged.load(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
