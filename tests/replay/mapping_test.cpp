#define CAF_SUITE mapping
#include "runtime/replay/mapping.hpp"

#include "temporary_folder.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>

using namespace gnomon;
using namespace gnomon::replay;

namespace {

std::vector<cluster_region> five() {
  std::vector<cluster_region> regions;
  for (auto name : {"ap-northeast-1", "ap-south-1", "eu-central-1", "sa-east-1", "us-east-1"})
    regions.push_back({name, place_of(name)});
  return regions;
}

std::string home(std::string_view region) {
  auto found = home_of(region, five());
  return found ? five()[*found].name : "nowhere";
}

trace reads_in(const std::vector<std::string>& regions) {
  trace t;
  t.source = "trace.csv";
  for (const auto& region : regions)
    t.add({static_cast<double>(t.reads.size()), "u", region, "i"}, t.reads.size() + 2);
  return t;
}

} // namespace

CAF_TEST(cloud_regions_lie_where_they_are) {
  CAF_CHECK(std::abs(great_circle_km(*place_of("eu-central-1"), *place_of("us-east-1")) - 6530) < 30);
}

CAF_TEST(readers_go_to_their_region_or_the_nearest) {
  CAF_CHECK_EQUAL(home("sa-east-1"), "sa-east-1");
  CAF_CHECK_EQUAL(home("eu-west-1"), "eu-central-1");
  CAF_CHECK_EQUAL(home("us-west-2"), "us-east-1");
  CAF_CHECK_EQUAL(home("ap-southeast-2"), "ap-northeast-1");
  CAF_CHECK_EQUAL(home("me-south-1"), "ap-south-1");
  CAF_CHECK_EQUAL(home("mars-1"), "nowhere");
}

CAF_TEST(a_region_without_a_known_place_serves_its_own_name_only) {
  std::vector<cluster_region> cluster{{"lab", std::nullopt}, {"us-east-1", place_of("us-east-1")}};
  CAF_CHECK_EQUAL(home_of("lab", cluster).value_or(9), 0u);
  CAF_CHECK_EQUAL(home_of("eu-west-1", cluster).value_or(9), 1u);
  CAF_CHECK(!home_of("eu-west-1", {{"lab", std::nullopt}}));
}

CAF_TEST(an_unknown_region_is_named_with_its_line) {
  auto wrong = map_regions(reads_in({"us-east-1", "mars-1"}), five());
  CAF_REQUIRE(!wrong);
  CAF_CHECK(sentence_of(wrong.error()).find("trace.csv line 3: the region \"mars-1\" is unknown; ") == 0);
}

CAF_TEST(the_origin_is_the_region_with_the_most_reads_once_mapped) {
  auto t = reads_in({"sa-east-1", "sa-east-1", "eu-west-1", "eu-west-2", "eu-central-1"});
  auto homes = map_regions(t, five());
  CAF_REQUIRE(homes);
  auto counts = reads_by_home(t, *homes, 5);
  CAF_CHECK(*choose_origin("", five(), counts) == 2);
  CAF_CHECK(*choose_origin("ap-south-1", five(), counts) == 1);
  CAF_CHECK_EQUAL(sentence_of(choose_origin("eu-west-1", five(), counts).error()).substr(0, 51),
                  "--origin eu-west-1: the cluster has no such region;");
  round_trips distances;
  distances.set("sa-east-1", "eu-central-1", 200);
  CAF_CHECK_EQUAL(mean_round_trip_ms(five(), counts, 2, distances), 80.0);
}

CAF_TEST(round_trips_hold_in_both_directions_and_a_bad_line_is_named) {
  temporary_folder folder;
  auto good = round_trips::load(folder.write("good.csv", "# measured\nfrom,to,round_trip_ms\na,b,12.5\n\n"));
  CAF_REQUIRE(good);
  CAF_CHECK_EQUAL(good->between("b", "a"), 12.5);
  CAF_CHECK_EQUAL(good->between("a", "c"), 0.0);
  for (auto bad : {"a,b", "a,b,", "a,b,x", "a,b,-1", "a,b,1e9", "a,b,1 ms", "\"a,b,1", "a,b\"c,1"}) {
    auto wrong = round_trips::load(folder.write("bad.csv", std::string{bad} + '\n'));
    CAF_REQUIRE(!wrong);
    CAF_CHECK(sentence_of(wrong.error()).find("bad.csv line 1 is not from,to,round_trip_ms") != std::string::npos);
  }
}
