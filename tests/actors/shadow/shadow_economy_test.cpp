#define CAF_SUITE shadow_economy
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct economy_fixture : cluster_fixture {
  economy_fixture() { // whatever its size, a copy costs in 53 s what it costs to move it again
    config.usd_per_ms = 0;
    config.prices = learning::price_table::flat({.storage_usd_per_gb_month = 1000, .egress_usd_per_gb = 0.02});
  }

  void begin_adaptively() {
    begin(1);
    CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::fallback, {}, R"({"ttl": "adaptive"})"}));
  }

  copy_report report_of(const std::string& node, const std::string& id) {
    auto found = unbox(ask<shadow_report>("a", get_shadow_status{id}));
    for (const auto& copy : found.copies)
      if (copy.node == node)
        return copy;
    CAF_FAIL("no copy at " + node);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shadow_economy_tests, economy_fixture)

CAF_TEST(a_shadow_lives_until_it_has_cost_what_a_read_without_it_costs) {
  begin_adaptively();
  put("a", "x", "some value");
  get("b", "x");
  pass_time(40s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  get("b", "x"); // slides
  pass_time(40s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  pass_time(30s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
}

CAF_TEST(the_lifetime_of_a_policy_or_a_request_wins) {
  begin_adaptively();
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "fixed", R"({"ttl": 200})"}));
  put("a", "fixed/1", "v");
  get("b", "fixed/1");
  put("a", "asked/1", "v");
  create_shadow wish;
  wish.id = "asked/1";
  wish.factor = 2;
  wish.ttl = 200s;
  unbox(ask<shadow_plan>("a", wish));
  pass_time(150s);
  CAF_CHECK_EQUAL(copies("fixed/1"), "a:durable b:shadow");
  CAF_CHECK_EQUAL(copies("asked/1"), "a:durable b:shadow");
  pass_time(60s);
  CAF_CHECK_EQUAL(copies("fixed/1"), "a:durable");
  CAF_CHECK_EQUAL(copies("asked/1"), "a:durable");
}

CAF_TEST(the_agent_learns_the_gaps_and_shadows_use_them) {
  begin_adaptively();
  const learning::copy_costs costs{.hold_usd_per_s = 1e-9, .miss_usd = 4e-7};
  const learning::gap_kind kind{.type = "often", .bytes = 1, .reads = 3, .pace_s = 150};
  CAF_CHECK_EQUAL(nodes["b"].context->lifetimes.get()->keep(kind, costs, 0).wish_s, 400.0);
  for (int round = 0; round < 6; ++round) { // each item is read again after 150 s
    for (int i = 0; i < 120; ++i) {
      auto id = "often/" + std::to_string(i);
      if (round == 0)
        put("a", id, "v");
      get("b", id);
    }
    pass_time(150s);
  }
  auto life = nodes["b"].context->lifetimes.get()->keep(kind, costs, 0);
  CAF_CHECK(life.wish_s > 150);
  CAF_CHECK(life.worth.returned > 0.5);
}

CAF_TEST(a_copy_explains_its_sum) {
  begin_adaptively();
  put("a", "x", std::string(1'000'000, 'v'));
  get("b", "x");
  auto before = report_of("b", "x");
  CAF_CHECK(before.spent_usd > 0.9 * 0.02e-3); // one move of a megabyte
  for (int i = 0; i < 3; ++i)
    get("b", "x");
  pass_time(20s);
  auto after = report_of("b", "x");
  CAF_CHECK(after.spent_usd > before.spent_usd); // storage
  CAF_CHECK(after.saved_usd > before.saved_usd); // reads that nothing was moved for
  CAF_CHECK(!after.why.empty());
  CAF_CHECK(report_of("a", "x").why.find("durable") != std::string::npos);
}

CAF_TEST(a_node_that_holds_as_much_as_it_may_takes_no_shadow_and_makes_room) {
  config.store_max_bytes = 1000;
  begin(1);
  auto& b = *nodes["b"].context;
  for (int i = 0; i < 6; ++i) {
    put("a", "x/" + std::to_string(i), std::string(300, 'v'));
    CAF_CHECK_EQUAL(value("b", "x/" + std::to_string(i)), std::string(300, 'v'));
  }
  CAF_CHECK_EQUAL(b.counters.bytes.load(), 1200u); // the fourth one found room
  pass_time(1s);
  CAF_CHECK(b.counters.bytes.load() <= 950);
  CAF_CHECK(b.counters.shadows_evicted.load() > 0);
  auto& a = *nodes["a"].context;
  CAF_CHECK_EQUAL(a.counters.bytes.load(), 1800u); // a durable copy never goes
  for (int i = 0; i < 6; ++i)
    CAF_CHECK_EQUAL(value("b", "x/" + std::to_string(i)), std::string(300, 'v'));
}

CAF_TEST(a_read_from_a_cache_elsewhere_counts_as_demand_and_not_as_one_of_the_copy) {
  begin(1);
  put("a", "x", "v");
  get("b", "x");
  auto before = report_of("b", "x");
  time->advance(30s);
  CAF_CHECK_EQUAL(unbox(ask<reads_receipt>("b", report_reads{{{"x", "ann", 5}, {"y", "ann", 2}}})).reads, 7u);
  auto after = report_of("b", "x");
  CAF_CHECK_EQUAL(after.reads, before.reads);
  CAF_CHECK_EQUAL(after.saved_ms, before.saved_ms);
  CAF_CHECK(after.demand > before.demand + 4.9);
  CAF_CHECK(after.expires >= before.expires + 30s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  CAF_CHECK_EQUAL(unbox(ask<reads_receipt>("c", report_reads{{{"x", "ann", 1}}})).reads, 1u);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow"); // nobody fetches it for that
}

CAF_TEST_FIXTURE_SCOPE_END()
