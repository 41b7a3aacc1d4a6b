#define CAF_SUITE region
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  std::string warning_of(const std::string& policy) {
    auto set = ask<policy_list>("a", put_policy{policy_scope::type, "x", policy});
    CAF_REQUIRE(set);
    return set->warning;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(region_tests, fixture)

CAF_TEST(a_residency_rule_of_known_regions_is_set_without_a_warning) {
  begin();
  CAF_CHECK_EQUAL(warning_of(R"({"residency": ["region-a", "region-d"]})"), "");
  CAF_CHECK_EQUAL(warning_of(R"({"residency": []})"), "");
  CAF_CHECK_EQUAL(warning_of(R"({"factor": 3})"), "");
}

CAF_TEST(a_residency_rule_that_names_an_unknown_region_is_set_with_a_warning) {
  begin();
  CAF_CHECK_EQUAL(warning_of(R"({"residency": ["region-a", "region-x"]})"),
                  "residency names region-x, where no node is known; the regions with nodes are region-a, region-b, "
                  "region-c, region-d");
  CAF_CHECK(put("a", "x/1", "1"));
}

CAF_TEST(the_warning_says_that_no_known_region_is_permitted) {
  begin();
  auto said = warning_of(R"({"residency": ["regiona"]})");
  CAF_CHECK(said.find("until a node joins there, no item of this policy can be written") != said.npos);
  CAF_CHECK(!put("a", "x/1", "1"));
}

CAF_TEST_FIXTURE_SCOPE_END()
