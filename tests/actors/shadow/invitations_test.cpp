#define CAF_SUITE invitations
#include "actors/node/placement.hpp"
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  /// Asks the shadow of "x" at the node to see to copies at each of these.
  caf::error place_one_each(const std::string& at, std::vector<std::string> candidates) {
    place_copies wish;
    wish.id = "x";
    wish.factor = one_each;
    wish.candidates = std::move(candidates);
    wish.lease = {lease_reason::access, 1.0, time->now(), time->now(), 24h};
    caf::error result;
    auto handle = self->request(nodes[at].context->shard("x"), caf::infinite, std::move(wish));
    sched.run();
    std::move(handle).receive([](const shadow_plan&) {}, [&](const caf::error& reason) { result = reason; });
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(invitations_tests, fixture)

CAF_TEST(with_one_each_every_candidate_gets_a_shadow_whatever_the_factor) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK(place_one_each("a", {"c", "d"}) == caf::none);
  CAF_CHECK_EQUAL(copies("x"), "a:durable c:shadow d:shadow");
  CAF_CHECK(place_one_each("a", {"c"}) == caf::none); // it has one
  CAF_CHECK_EQUAL(copies("x"), "a:durable c:shadow d:shadow");
  CAF_CHECK_EQUAL(unbox(get("d", "x")).served_by, "d");
}

CAF_TEST(a_node_that_has_lost_the_item_passes_such_a_wish_on_to_nobody) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  heartbeats();
  CAF_CHECK(code_of(place_one_each("b", {"d"})) == ec::not_here);
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
}

CAF_TEST(an_invitation_for_a_reader_teaches_the_predictor_of_the_readers_region) {
  predicts = true;
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  auto learned = [&] { return nodes["d"].context->predicting.accesses.load(); };
  CAF_CHECK_EQUAL(learned(), 0u);
  CAF_CHECK(place_one_each("a", {"d"}) == caf::none);
  CAF_CHECK_EQUAL(copies("x"), "a:durable d:shadow");
  CAF_CHECK_EQUAL(learned(), 1u);
}

CAF_TEST(the_end_of_a_shadow_is_known_before_it_comes) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  std::vector<uint32_t> ends;
  auto& b = *nodes["b"].context;
  b.holders_changed = [&](const std::string& id, const std::vector<std::string>& holders, uint32_t until) {
    if (id == "x" && !holders.empty())
      ends.push_back(until);
  };
  CAF_CHECK(get("b", "x"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  CAF_REQUIRE(!ends.empty());
  auto expected = epoch_seconds(time->now() + config.shadow_ttl);
  CAF_CHECK(ends.back() + 2 >= expected && ends.back() <= expected);
  b.holders_changed = {};
}

CAF_TEST(a_shard_that_ends_says_that_its_catalog_is_lost) {
  begin(1);
  heartbeats();
  auto& b = *nodes["b"].context;
  int lost = 0;
  b.catalog_lost = [&] { ++lost; };
  CAF_CHECK(b.counters.catalogs_whole[5]);
  caf::anon_send_exit(b.handles.get()->shards[5], caf::exit_reason::kill);
  sched.run();
  CAF_CHECK_EQUAL(lost, 1);
  CAF_CHECK(!b.counters.catalogs_whole[5]);
  CAF_CHECK(b.counters.catalogs_whole[6]);
  b.catalog_lost = {};
}

CAF_TEST_FIXTURE_SCOPE_END()
