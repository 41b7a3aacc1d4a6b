#define CAF_SUITE figures
#include "runtime/replay/figures.hpp"

#include "runtime/replay/report.hpp"

#include <nlohmann/json.hpp>

#include <caf/test/dsl.hpp>

#include <algorithm>

using namespace gnomon::replay;

CAF_TEST(a_percentile_is_the_nearest_rank) {
  std::vector<double> values{15, 20, 35, 40, 50};
  CAF_CHECK_EQUAL(percentile(values, 5), 15);
  CAF_CHECK_EQUAL(percentile(values, 30), 20);
  CAF_CHECK_EQUAL(percentile(values, 40), 20);
  CAF_CHECK_EQUAL(percentile(values, 50), 35);
  CAF_CHECK_EQUAL(percentile(values, 100), 50);
  CAF_CHECK_EQUAL(percentile(values, 0), 15);
  CAF_CHECK_EQUAL(percentile({}, 50), 0);
}

CAF_TEST(failures_count_as_reads_but_not_for_shares_and_latencies) {
  latency_record record;
  for (int i = 1; i <= 100; ++i)
    record.answered(i, i <= 75, i <= 5);
  record.failed();
  auto f = record.sum_up();
  CAF_CHECK_EQUAL(f.reads, 101u);
  CAF_CHECK_EQUAL(f.failures, 1u);
  CAF_CHECK_EQUAL(f.local_share, 0.75);
  CAF_CHECK_EQUAL(f.prefetched, 5u);
  CAF_CHECK_EQUAL(f.mean_ms, 50.5);
  CAF_CHECK_EQUAL(f.p50_ms, 50);
  CAF_CHECK_EQUAL(f.p95_ms, 95);
  CAF_CHECK_EQUAL(f.p99_ms, 99);
}

CAF_TEST(no_reads_give_zeros) {
  auto f = latency_record{}.sum_up();
  CAF_CHECK_EQUAL(f.reads, 0u);
  CAF_CHECK_EQUAL(f.mean_ms, 0);
}

CAF_TEST(the_page_and_its_json_say_the_same_of_all_passes) {
  pass_report shadows;
  shadows.all.reads = 1234567;
  shadows.all.local_share = 0.875;
  shadows.all.mean_ms = 12.5;
  shadows.copies_per_item = 2.25;
  shadows.bytes_moved = 3'400'000;
  shadows.by_region.emplace_back("eu-central-1", shadows.all);
  shadows.cost.moved_usd = 1.234567;
  auto origin = shadows;
  origin.all.local_share = 0.5;
  run_facts facts{"day.csv", 3, 4, "eu-central-1", 60, 1024, 1e-8, {"a note"}};
  const std::vector<named_pass> passes{{"origin only", origin}, {"everywhere", shadows}, {"gnomon", shadows}};
  auto text = page(facts, passes);
  for (auto part : {"1,234,567", "87.5%", "50.0%", "12.5 ms", "2.25", "3.4 MB", "origin only", "everywhere", "1.000",
                    "- a note", "60 s there", "1,024 bytes"})
    CAF_CHECK(text.find(part) != std::string::npos);
  auto longest = 0u;
  for (size_t at = 0, end; at < text.size(); at = end + 1) {
    end = std::min(text.find('\n', at), text.size());
    longest = std::max(longest, static_cast<unsigned>(end - at));
  }
  CAF_CHECK(longest <= 100);
  auto json = figures_json(facts, passes);
  for (auto key :
       {"reads", "local_share", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "copies_per_item", "bytes_moved", "cost"}) {
    CAF_CHECK(json.contains(key));
    CAF_CHECK(json["origin_only"].contains(key));
    CAF_CHECK(json["everywhere"].contains(key));
  }
  CAF_CHECK_EQUAL(json["reads"], 1234567);
  CAF_CHECK_EQUAL(json["origin_only"]["local_share"], 0.5);
  CAF_CHECK(!figures_json(facts, {{"gnomon", shadows}}).contains("origin_only"));
}
