#define CAF_SUITE load
#include "runtime/replay/load.hpp"

#include "runtime/replay/costs.hpp"
#include "runtime/replay/node_api.hpp"

#include "fake_node.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>

using namespace gnomon;
using namespace gnomon::replay;
using namespace std::chrono_literals;

namespace {

struct fixture {
  fixture() {
    plan.reads = &reads;
    plan.targets = {{{"near", std::nullopt}, near.api()}, {{"far", std::nullopt}, far.api()}};
    plan.homes = {0, 1};
    plan.value_bytes = 100;
    plan.timeout = 500ms;
    far.copy = "remote";
  }
  ~fixture() {
    near.items.clear();
  }

  /// `count` reads, alternating between both regions, `gap` seconds apart.
  void make_reads(size_t count, double gap, const std::string& item = "story/") {
    for (size_t i = 0; i < count; ++i)
      reads.add({static_cast<double>(i) * gap, "u" + std::to_string(i % 3), i % 2 == 0 ? "near" : "far",
                 item + std::to_string(i % 10)},
                i + 1);
  }
  void write_all() {
    CAF_REQUIRE(!write_items(loop, plan, shown));
    far.items = near.items;
    near.targets.clear();
  }
  load_result play() {
    auto result = send_reads(loop, plan, shown, "reading");
    CAF_REQUIRE(result);
    return std::move(*result);
  }

  event_loop loop;
  fake_node near{loop};
  fake_node far{loop};
  progress shown{true};
  trace reads;
  load_plan plan;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(loads, fixture)

CAF_TEST(each_item_is_written_once_and_a_second_time_changes_nothing) {
  make_reads(50, 0, "a b/%/ü?");
  CAF_CHECK(!write_items(loop, plan, shown));
  CAF_CHECK_EQUAL(near.items.size(), 10u);
  CAF_CHECK_EQUAL(near.items["/data/a%20b/%25/%C3%BC%3F3"], content_of("a b/%/ü?3", 100));
  CAF_CHECK(far.items.empty());
  CAF_CHECK(!write_items(loop, plan, shown));
  CAF_CHECK_EQUAL(near.targets.size(), 20u);
}

CAF_TEST(a_write_is_tried_three_times_before_it_is_given_up) {
  make_reads(1, 0);
  int refused = 2;
  near.tamper = [&](const auto&, auto& answer) {
    if (refused-- > 0)
      answer.result(503);
  };
  CAF_CHECK(!write_items(loop, plan, shown));
  near.items.clear();
  refused = 3;
  auto wrong = write_items(loop, plan, shown);
  CAF_CHECK_EQUAL(sentence_of(wrong), "cannot write story/0 in near: answered 503 ");
}

CAF_TEST(each_read_goes_to_its_region_with_its_user_and_counts_as_the_answer_says) {
  make_reads(40, 0);
  write_all();
  auto result = play();
  CAF_CHECK_EQUAL(near.targets.size(), 20u);
  CAF_CHECK_EQUAL(far.targets.size(), 20u);
  CAF_CHECK_EQUAL(near.targets[0], "/data/story/0?user_id=u0");
  CAF_CHECK_EQUAL(result.by_target[0].local(), 20u);
  CAF_CHECK_EQUAL(result.by_target[1].local(), 0u);
  CAF_CHECK_EQUAL(result.all().answers(), 40u);
}

CAF_TEST(reads_go_out_when_their_time_has_come) {
  make_reads(21, 1);
  plan.time_scale = 40;
  write_all();
  auto result = play();
  CAF_CHECK(result.seconds >= 0.49);
}

CAF_TEST(updates_go_to_the_origin_one_by_one_with_the_context_of_the_write_before) {
  make_reads(4, 1, "a/");
  plan.time_scale = 20;
  reads.updates = {{1, 0}, {1, 0}, {2, 1}};
  write_all();
  near.delay = 20ms;
  auto result = play();
  CAF_CHECK_EQUAL(result.updates, 3u);
  CAF_CHECK(result.failures.empty());
  CAF_REQUIRE_EQUAL(near.contexts.size(), 3u);
  CAF_CHECK_EQUAL(near.contexts[0], "0"); // of the first write
  CAF_CHECK_EQUAL(near.contexts[1], "1"); // of the first update
}

CAF_TEST(items_that_were_there_before_are_not_updated) {
  make_reads(4, 0);
  reads.updates = {{0, 0}};
  write_all();
  CAF_REQUIRE(!write_items(loop, plan, shown)); // 412: by another replay, as far as this one knows
  CAF_CHECK_EQUAL(play().updates, 0u);
  CAF_CHECK(near.contexts.empty());
}

CAF_TEST(holdings_are_the_mean_of_what_each_node_said) {
  near.pages["/metrics"] = "gnomon_items 7\ngnomon_item_bytes 700\n";
  far.pages["/metrics"] = "gnomon_items 3\ngnomon_item_bytes 30\n";
  holdings_meter meter(loop, {near.api(), far.api()});
  CAF_CHECK(!loop.pause(100ms));
  far.pages["/metrics"] = "gnomon_items 5\ngnomon_item_bytes 50\n";
  CAF_CHECK(!loop.pause(500ms));
  const auto mean = meter.mean();
  CAF_CHECK_EQUAL(mean[0].items, 7.0);
  CAF_CHECK_EQUAL(mean[1].items, 4.0);
  CAF_CHECK_EQUAL(mean[1].bytes, 40.0);
}

CAF_TEST(a_pass_costs_what_regions_sent_what_they_held_and_what_readers_waited) {
  make_reads(2, learning::seconds_per_month);
  plan.prices.set("near", {.storage_usd_per_gb_month = 0.5, .egress_usd_per_gb = 0.25});
  plan.prices.set("far", {.storage_usd_per_gb_month = 0, .egress_usd_per_gb = 4});
  const auto cost = bill_of(plan, {{1, 2e9}, {1, 1e9}}, 300, {1'000'000'000, 2'000'000'000});
  CAF_CHECK_EQUAL(cost.moved_usd, 0.25 + 8);
  CAF_CHECK(std::abs(cost.stored_usd - 1) < 1e-9);
  CAF_CHECK_EQUAL(cost.latency_usd, 300 * learning::default_usd_per_ms);
}

CAF_TEST(no_more_requests_are_open_than_allowed_and_lateness_is_told) {
  make_reads(400, 0);
  write_all();
  near.delay = far.delay = 60ms;
  auto result = play();
  CAF_CHECK(near.open_most + far.open_most > 32);
  CAF_CHECK(near.open_most <= open_requests && far.open_most <= open_requests);
  CAF_CHECK(near.connections + far.connections <= 2 * open_requests);
  CAF_CHECK(result.late_max_s > 0.25);
  CAF_CHECK(result.late_reads > 100);
  CAF_CHECK(result.all().sum_up().p50_ms >= 60);
}

CAF_TEST(a_connection_that_the_server_closed_meanwhile_costs_no_read) {
  make_reads(30, 1);
  plan.time_scale = 100;
  write_all();
  near.close_each = far.close_each = true;
  auto result = play();
  CAF_CHECK_EQUAL(result.all().answers(), 30u);
  CAF_CHECK_EQUAL(result.all().failures(), 0u);
}

CAF_TEST(wrong_bytes_errors_and_silence_are_failures_with_a_reason) {
  make_reads(30, 0);
  write_all();
  near.tamper = [](const auto& asked, auto& answer) {
    if (asked.target().starts_with("/data/story/0"))
      answer.body() += "!";
    if (asked.target().starts_with("/data/story/2"))
      answer.result(500);
  };
  auto result = play();
  CAF_CHECK_EQUAL(result.all().failures(), 6u);
  CAF_CHECK_EQUAL(result.failures.size(), 5u);
  CAF_CHECK_EQUAL(result.failures[0], "story/0 in near: answered 101 bytes that were never written");
  CAF_CHECK(result.failures[1].find("story/2 in near: answered 500") == 0);
}

CAF_TEST(a_region_that_is_silent_ends_the_replay_instead_of_the_patience) {
  make_reads(600, 0);
  write_all();
  plan.timeout = 50ms;
  near.delay = far.delay = 10s;
  auto result = send_reads(loop, plan, shown, "reading");
  CAF_REQUIRE(!result);
  CAF_CHECK(sentence_of(result.error()).find("200 reads in a row failed; the last: story/") == 0);
}

CAF_TEST(a_watcher_ends_the_replay) {
  make_reads(100, 1);
  write_all();
  loop.watch([] { return make_error(ec::unavailable, "the node of far has ended"); });
  auto result = send_reads(loop, plan, shown, "reading");
  CAF_REQUIRE(!result);
  CAF_CHECK_EQUAL(sentence_of(result.error()), "the node of far has ended");
}

CAF_TEST(copies_and_bytes_are_summed_over_the_nodes) {
  near.pages["/cluster"] =
      R"({"self":"n","nodes":[{"node":"n","state":"live","items":7},{"node":"f","state":"down"}]})";
  near.pages["/metrics"] = "# HELP gnomon_region_bytes_out_total x\ngnomon_region_bytes_out_total "
                           "100\ngnomon_region_bytes_out_total_other 5\n"
                           "gnomon_prefetch_copies_total{region=\"n\"} 8\ngnomon_prefetch_used_total{region=\"n\"} 5\n"
                           "gnomon_prefetch_lead_seconds{region=\"n\"} 12\n";
  far.pages["/cluster"] =
      R"({"self":"f","nodes":[{"node":"n","state":"live","items":9},{"node":"f","state":"live","items":3}]})";
  far.pages["/metrics"] =
      "gnomon_region_bytes_out_total{peer=\"n\"} 20\ngnomon_region_bytes_out_total{peer=\"a } b\"} 1e3 1700000000\n";
  auto totals = ask_totals(loop, {near.api(), far.api()});
  CAF_REQUIRE(totals);
  CAF_CHECK_EQUAL(totals->copies, 10u);
  CAF_CHECK_EQUAL(totals->bytes_moved, 1120u);
  CAF_CHECK_EQUAL(totals->ahead, 8u);
  CAF_CHECK_EQUAL(totals->ahead_read, 5u);
  CAF_CHECK_EQUAL(totals->lead_seconds, 60.0);
  CAF_CHECK(parse_cluster(near.pages["/cluster"])->live_nodes == 1);
  CAF_CHECK(!parse_cluster("[1]"));
  CAF_CHECK(!parse_cluster("{"));
  far.pages.erase("/metrics");
  CAF_CHECK(!ask_totals(loop, {near.api(), far.api()}));
}

CAF_TEST(nobody_there_is_an_error_that_names_the_address) {
  auto answer = get_text(loop, {"127.0.0.1", 1}, "/cluster");
  CAF_REQUIRE(!answer);
  CAF_CHECK_EQUAL(sentence_of(answer.error()), "cannot connect to http://127.0.0.1:1: Connection refused");
}

CAF_TEST_FIXTURE_SCOPE_END()
