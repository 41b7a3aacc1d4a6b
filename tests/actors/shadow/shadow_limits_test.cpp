#define CAF_SUITE shadow_limits
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

CAF_TEST_FIXTURE_SCOPE(shadow_limits_tests, cluster_fixture)

CAF_TEST(a_write_that_would_make_too_many_versions_is_refused_and_told_the_way_out) {
  config.max_versions = 5;
  begin(1);
  for (int i = 0; i < 5; ++i)
    CAF_CHECK(put("a", "x", "v"));
  auto refused = put("a", "x", "v");
  CAF_REQUIRE(!refused);
  CAF_CHECK_EQUAL(code_of(refused.error()), ec::rejected);
  CAF_CHECK(sentence_of(refused.error()).find("Gnomon-Context") != std::string::npos);
  CAF_CHECK_EQUAL(nodes["a"].context->counters.writes_refused.load(), 1u);
  heartbeats();
  CAF_CHECK_EQUAL(code_of(put("c", "x", "v").error()), ec::rejected); // wherever it is written
  CAF_CHECK_EQUAL(unbox(get("a", "x")).values.size(), 5u);
  CAF_CHECK(put("a", "x", "one", unbox(get("a", "x")).versions.context));
  CAF_CHECK_EQUAL(value("a", "x"), "one");
}

CAF_TEST(a_delete_without_a_context_is_a_way_out_as_well) {
  config.max_versions = 2;
  begin(1);
  put("a", "x", "1");
  put("a", "x", "2");
  CAF_CHECK(!put("a", "x", "3"));
  auto gone = write_of("x", "");
  gone.deleted = true;
  CAF_CHECK(ask<write_receipt>("a", gone));
  CAF_CHECK(unbox(get("a", "x")).versions.deleted());
}

CAF_TEST(versions_may_not_have_too_many_bytes_together) {
  config.max_versions_bytes = 1000;
  begin(1);
  CAF_CHECK(put("a", "x", std::string(2000, 'x'))); // by itself a value may have any length
  CAF_CHECK_EQUAL(code_of(put("a", "x", "1").error()), ec::rejected);
  CAF_CHECK(put("a", "y", std::string(600, 'x')));
  CAF_CHECK_EQUAL(code_of(put("a", "y", std::string(600, 'x')).error()), ec::rejected);
  CAF_CHECK(put("a", "y", std::string(300, 'x')));
  CAF_CHECK(put("a", "y", std::string(3000, 'x'), unbox(get("a", "y")).versions.context));
}

CAF_TEST(merging_loses_no_version_and_who_writes_with_a_context_gets_out_again) {
  config.max_versions = 3;
  begin(2, 2);
  for (auto name : {"b", "c", "d"})
    network->separate("a", name);
  for (int i = 0; i < 3; ++i) {
    CAF_CHECK(put("a", "x", "a"));
    CAF_CHECK(put("b", "x", "b"));
  }
  network->heal();
  for (int i = 0; i < 4; ++i) {
    heartbeats();
    pass_time(1s);
  }
  auto all = unbox(get("a", "x"));
  CAF_CHECK_EQUAL(all.values.size(), 6u);
  CAF_CHECK_EQUAL(unbox(get("b", "x")).values.size(), 6u);
  auto worst = nodes["b"].context->crowded.largest(5);
  CAF_REQUIRE_EQUAL(worst.size(), 1u);
  CAF_CHECK_EQUAL(worst.front().id, "x");
  CAF_CHECK_EQUAL(worst.front().versions, 6u);
  restart("b");
  CAF_CHECK_EQUAL(nodes["b"].context->crowded.largest(5).size(), 1u);
  CAF_CHECK_EQUAL(code_of(put("b", "x", "more").error()), ec::rejected);
  version_vector two;
  two.add(all.versions.siblings[0].id);
  two.add(all.versions.siblings[1].id);
  CAF_CHECK(put("b", "x", "fewer", two));
  CAF_CHECK_EQUAL(unbox(get("b", "x")).values.size(), 5u);
  CAF_CHECK(put("b", "x", "one", unbox(get("b", "x")).versions.context));
  CAF_CHECK_EQUAL(value("a", "x"), "one");
  CAF_CHECK(nodes["a"].context->crowded.largest(5).empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
