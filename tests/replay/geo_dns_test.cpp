#define CAF_SUITE geo_dns
#include "runtime/replay/geo_dns_report.hpp"
#include "runtime/replay/run.hpp"

#include "temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <caf/test/dsl.hpp>

#include <filesystem>
#include <fstream>

using namespace gnomon::replay;

namespace {

geo_dns_report equal_shares() {
  geo_dns_report report;
  report.by_region.all.local_share = report.by_name.all.local_share = 0.9;
  report.by_region.by_region = report.by_name.by_region = {{"eu", {}}, {"us", {}}};
  report.naming.by_nearest = {10, 2};
  report.outage.region = "eu";
  report.outage.seconds = {{10, 4, 5, 1}, {11, 0, 0, 0}};
  report.outage.last_first_s = 7;
  report.outage.last_named_s = 7.5;
  report.outage.allowed_s = 8;
  report.outage.ttl_s = 3;
  return report;
}

} // namespace

CAF_TEST(shares_apart_a_region_named_for_too_long_and_failed_reads_are_not_good) {
  CAF_CHECK(equal_shares().good());
  auto apart = equal_shares();
  apart.by_name.all.local_share = 0.879;
  CAF_CHECK(!apart.good());
  CAF_CHECK(page(apart).find("-2.10 points, 2 are allowed: too much") != std::string::npos);
  apart.by_name.all.local_share = 0.921;
  CAF_CHECK(!apart.good());
  auto named = equal_shares();
  named.outage.last_named_s = 8.1;
  CAF_CHECK(!named.good());
  CAF_CHECK(page(named).find("after 8.10 s") != std::string::npos);
  auto failed = equal_shares();
  failed.by_name.failures = {"x in eu: no answer"};
  CAF_CHECK(!failed.good());
  CAF_CHECK(page(failed).find("- failed: x in eu: no answer") != std::string::npos);
}

CAF_TEST(the_figures_have_each_second_after_the_kill) {
  auto json = figures_json(equal_shares());
  CAF_CHECK_EQUAL(json["outage"]["seconds"].size(), 2u);
  CAF_CHECK_EQUAL(json["outage"]["seconds"][0]["named"], 5);
  CAF_CHECK_EQUAL(json["served_by_nearness"][1], 2);
  CAF_CHECK_EQUAL(json["good"], true);
}

// Real nodes and a real resolver. So short a trace says nothing about shares, which `./dev bench geodns` compares.
CAF_TEST(readers_find_items_by_name_and_a_dead_region_is_forgotten) {
  if (!std::filesystem::exists("/usr/sbin/unbound")) {
    CAF_MESSAGE("skipped: unbound is not installed");
    return;
  }
  temporary_folder folder;
  auto file = (folder.path() / "figures.json").string();
  replay_main({"geodns", "--bin", GNOMON_BIN, "--configs", GNOMON_CONFIGS "/five-regions", "--reads", "300",
               "--time-scale", "17280", "--quiet", "--json", file});
  auto figures = nlohmann::json::parse(std::ifstream(file), nullptr, false);
  CAF_REQUIRE(figures.is_object());
  CAF_CHECK_EQUAL(figures["by_name"]["reads"], 300);
  CAF_CHECK_EQUAL(figures["by_name"]["failures"], 0);
  CAF_CHECK_EQUAL(figures["unknown_names"], 0);
  CAF_CHECK(figures["by_name"]["local_share"] > 0);
  CAF_CHECK(figures["by_name"]["copies_per_item"] > 2.0); // reads left shadows where readers are
  CAF_CHECK(figures["served_by_nearness"][1] > 0);
  const auto& seconds = figures["outage"]["seconds"];
  CAF_REQUIRE_EQUAL(seconds.size(), 20u);
  CAF_CHECK(seconds.front()["named"] > 0);
  CAF_CHECK_EQUAL(seconds.back()["named"], 0);
  CAF_CHECK_EQUAL(seconds.back()["failed_reads"], 0);
  CAF_CHECK(seconds.back()["answers"] > 0);
}
