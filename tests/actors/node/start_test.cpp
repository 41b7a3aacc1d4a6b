#define CAF_SUITE start
#include "storage/keys.hpp"
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  /// Starts `name` again; what it holds cannot be read page by page, until `read_on`.
  void restart_without_reading(const std::string& name) {
    nodes[name].database->fail_scans_of = 'r';
    restart(name);
    CAF_CHECK(!is_whole(name));
  }
  void read_on(const std::string& name) {
    nodes[name].database->fail_scans_of = 0;
    pass_time(1s);
    CAF_CHECK(is_whole(name));
  }
  bool is_whole(const std::string& name) {
    return counters(name).shards_ready == shard_count;
  }
  node_counters& counters(const std::string& name) {
    return nodes[name].context->counters;
  }
  /// As a heartbeat shows it.
  uint64_t items(const std::string& name) {
    return counters(name).items;
  }
  std::vector<std::string> located(const std::string& at, const std::string& id) {
    std::vector<std::string> found;
    auto asked = self->request(nodes[at].context->shard(id), caf::infinite, locate_a_v, id);
    sched.run();
    std::move(asked).receive([&](std::vector<std::string>& nodes_with_it, bool) { found = std::move(nodes_with_it); },
                             [](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
    return found;
  }
  bool holds(const std::string& name, const std::string& id) {
    auto found = located(name, id);
    return std::find(found.begin(), found.end(), name) != found.end();
  }
  void lose(const std::string& name, const std::string& first, const std::string& last) {
    nodes[name].database->damage(first, last);
    get(name, "something/else"); // whoever reads next meets it
    sched.run();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(start_tests, fixture)

// -- while the stores are being read

CAF_TEST(a_node_serves_its_items_before_it_knows_all_of_them) {
  begin(1);
  put("a", "x", "1");
  restart_without_reading("a");
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  CAF_CHECK_EQUAL(value("a", "no/such"), "not-found");
  CAF_CHECK(put("a", "y", "2"));
  CAF_CHECK_EQUAL(value("a", "y"), "2");
  CAF_CHECK_EQUAL(value("b", "x"), "1"); // asked by a region that does not find it in the catalog
  read_on("a");
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  CAF_CHECK(holds("a", "x"));
  CAF_CHECK(holds("a", "y"));
}

CAF_TEST(a_delete_elsewhere_ends_what_began_at_a_node_that_reads_its_store) {
  begin(1);
  heartbeats();
  restart_without_reading("a");
  heartbeats();
  CAF_CHECK(put("a", "x", "1"));
  write_item w;
  w.id = "x";
  w.deleted = true;
  CAF_CHECK(ask<write_receipt>("b", w));
  heartbeats();
  CAF_CHECK(unbox(get("a", "x")).versions.deleted());
  read_on("a");
}

CAF_TEST(an_item_of_other_regions_is_found_while_the_store_is_read) {
  begin(1);
  put("b", "x", "1");
  restart_without_reading("a");
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  read_on("a");
  CAF_CHECK_EQUAL(value("a", "x"), "1");
}

CAF_TEST(each_item_is_counted_once_whenever_its_shadow_wakes) {
  begin(1);
  for (auto id : {"x/1", "x/2", "x/3", "x/4"})
    put("a", id, "1");
  auto before = items("a");
  auto bytes = counters("a").bytes.load();
  restart_without_reading("a");
  CAF_CHECK_EQUAL(items("a"), 0u);
  CAF_CHECK_EQUAL(value("a", "x/1"), "1");
  CAF_CHECK_EQUAL(value("a", "x/2"), "1");
  CAF_CHECK_EQUAL(items("a"), 2u);
  put("a", "x/5", "1");
  read_on("a");
  CAF_CHECK_EQUAL(items("a"), before + 1);
  CAF_CHECK_EQUAL(counters("a").bytes.load(), bytes + 1);
  for (auto id : {"x/1", "x/2", "x/3", "x/4", "x/5"})
    CAF_CHECK(holds("a", id));
}

CAF_TEST(a_copy_that_goes_while_the_store_is_read_is_not_found_by_it) {
  begin(1);
  put("a", "x", "1");
  value("b", "x"); // leaves a shadow there
  CAF_REQUIRE_EQUAL(copies("x"), "a:durable b:shadow");
  restart_without_reading("b");
  CAF_CHECK_EQUAL(value("b", "x"), "1");
  CAF_CHECK_EQUAL(items("b"), 1u);
  pass_time(2min); // its lease ends
  self->send(nodes["b"].context->shard("x"), expiry_due{"x", time->now()});
  sched.run();
  CAF_REQUIRE_EQUAL(copies("x"), "a:durable");
  CAF_CHECK_EQUAL(items("b"), 0u);
  read_on("b");
  CAF_CHECK_EQUAL(items("b"), 0u);
  CAF_CHECK(!holds("b", "x"));
}

CAF_TEST(a_store_that_cannot_be_read_for_a_while_is_read_later) {
  begin(1);
  put("a", "x", "1");
  restart_without_reading("a");
  CAF_CHECK(!nodes["a"].context->reading_problem.get()->empty());
  for (int i = 0; i < 20; ++i)
    pass_time(10s);
  CAF_CHECK(!is_whole("a"));
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  read_on("a");
  CAF_CHECK(nodes["a"].context->reading_problem.get()->empty());
  CAF_CHECK_EQUAL(items("a"), 1u);
}

// -- damage

CAF_TEST(an_item_in_a_damaged_part_is_fetched_from_elsewhere) {
  begin(2);
  put("a", "x", "1");
  heartbeats();
  CAF_REQUIRE_EQUAL(copies("x"), "a:durable b:shadow");
  restart("a");
  lose("a", keys::record("x"), keys::record("x") + '\0');
  CAF_CHECK_EQUAL(counters("a").store_losses.load(), 1u);
  CAF_CHECK(!holds("a", "x"));
  CAF_CHECK_EQUAL(items("a"), 0u);
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  CAF_CHECK(put("a", "x", "2", unbox(get("a", "x")).versions.context));
  CAF_CHECK_EQUAL(value("b", "x"), "2");
}

CAF_TEST(the_other_holders_of_a_lost_copy_hear_of_it) {
  begin(2);
  put("a", "x", "1");
  heartbeats();
  restart("a");
  heartbeats();
  lose("a", keys::record("x"), keys::record("x") + '\0');
  for (int i = 0; i < 10; ++i) {
    heartbeats();
    pass_time(10s);
  }
  CAF_CHECK(holders("b", "x").state_of("a") == holder_state::left);
}

CAF_TEST(an_item_that_only_a_damaged_part_had_is_not_called_absent) {
  begin(1);
  put("a", "x", "1");
  restart("a");
  lose("a", keys::record("x"), keys::record("x") + '\0');
  CAF_CHECK_EQUAL(code_of(get("a", "x").error()), ec::store_corrupt);
  CAF_CHECK_EQUAL(code_of(get("a", "other").error()), ec::not_found);
  CAF_CHECK(put("a", "x", "2"));
  CAF_CHECK_EQUAL(value("a", "x"), "2");
}

CAF_TEST(what_was_lost_before_the_start_is_not_in_the_catalog) {
  begin(1);
  put("a", "x", "1");
  put("a", "y", "1");
  nodes["a"].database->entries().erase(keys::record("x"));
  restart("a");
  CAF_CHECK_EQUAL(items("a"), 1u);
  CAF_CHECK(!holds("a", "x"));
}

// -- a full disk

CAF_TEST(a_full_disk_does_not_keep_a_node_from_reading) {
  begin(1);
  put("a", "x", "1");
  put("b", "y", "2");
  restart("a");
  nodes["a"].database->fail_writes = true;
  pass_time(1s);
  CAF_CHECK_EQUAL(counters("a").stores_full.load(), 1u);
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  CAF_CHECK_EQUAL(value("a", "y"), "2");
  CAF_CHECK_EQUAL(value("a", "y"), "2");
  CAF_CHECK_EQUAL(value("a", "z"), "not-found");
  CAF_CHECK_EQUAL(code_of(put("a", "x", "3").error()), ec::store_failed);
  nodes["a"].database->fail_writes = false;
  pass_time(1s);
  CAF_CHECK_EQUAL(counters("a").stores_full.load(), 0u);
  CAF_CHECK_EQUAL(value("a", "y"), "2");
  CAF_CHECK_EQUAL(copies("y"), "a:shadow b:durable");
}

CAF_TEST_FIXTURE_SCOPE_END()
