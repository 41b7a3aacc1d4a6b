#define CAF_SUITE region
#include "actors/cluster/cluster_memory.hpp"
#include "actors/region/region.hpp"
#include "actors/shadow/shard.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <caf/all.hpp>

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  std::string warning_of(const std::string& policy) {
    auto set = ask<policy_list>("a", put_policy{policy_scope::type, "x", policy});
    CAF_REQUIRE(set);
    return set->warning;
  }

  uint64_t generation_of(const std::string& name) {
    return nodes[name].context->counters.catalog_generation;
  }

  std::vector<std::string> believed_at(const std::string& name, const std::string& id) {
    std::vector<std::string> found;
    auto handles = nodes[name].context->handles.get();
    auto asked = self->request(handles->shards[shard_of(id)], caf::infinite, locate_a_v, id);
    sched.run();
    std::move(asked).receive([&](std::vector<std::string>& nodes, bool) { found = std::move(nodes); },
                             [](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
    return found;
  }

  /// As its supervisor does it: new actors over the same context.
  void restart_region_tree(const std::string& name) {
    auto& node = nodes[name];
    auto handles = *node.context->handles.get();
    for (const auto& shard : handles.shards)
      caf::anon_send_exit(shard, caf::exit_reason::kill);
    caf::anon_send_exit(handles.region, caf::exit_reason::kill);
    sched.run();
    for (size_t i = 0; i < shard_count; ++i)
      node.actors.push_back(caf::actor_cast<caf::actor>(handles.shards[i] = sys.spawn(shard, node.context, i)));
    node.context->handles.set(handles);
    node.actors.push_back(caf::actor_cast<caf::actor>(handles.region = sys.spawn(region, node.context)));
    node.context->handles.set(handles);
    sched.run();
  }

  /// Stops it as a whole and starts it again, with what its catalog was if it `ends_well`.
  void restart_process(const std::string& name, bool ends_well) {
    auto& node = nodes[name];
    if (ends_well)
      CAF_CHECK(keep_catalog(*node.database, node.context->counters));
    restart(name);
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

CAF_TEST(peers_hear_what_is_new_at_a_node_whose_region_tree_was_restarted) {
  begin(1);
  for (auto i = 0; i < 3; ++i)
    CAF_CHECK(put("b", "x/" + std::to_string(i), "1"));
  heartbeats();
  auto before = generation_of("b");
  restart_region_tree("b");
  CAF_CHECK(generation_of("b") != before);
  CAF_CHECK(put("b", "x/3", "1")); // may get a number that one before it had
  CAF_CHECK(put("b", "x/4", "1"));
  heartbeats();
  for (auto i = 0; i < 5; ++i)
    CAF_CHECK_EQUAL(believed_at("a", "x/" + std::to_string(i)), std::vector<std::string>{"b"});
}

CAF_TEST(a_catalog_goes_on_after_a_clean_stop_and_only_once) {
  begin(1);
  CAF_CHECK(put("b", "x", "1"));
  heartbeats();
  auto before = generation_of("b");
  restart_process("b", true);
  CAF_CHECK_EQUAL(generation_of("b"), before);
  network->asked.clear();
  for (auto peer : {"a", "c", "d"})
    network->cut.insert({peer, "b"}); // which has to pull what they hold
  heartbeats();
  CAF_CHECK_EQUAL(network->asked["pull_catalog"], 0);
  network->heal();
  CAF_CHECK(put("b", "y", "1"));
  heartbeats();
  CAF_CHECK_EQUAL(believed_at("a", "y"), std::vector<std::string>{"b"});
  restart_process("b", false);
  CAF_CHECK(generation_of("b") != before);
  heartbeats();
  CAF_CHECK_EQUAL(believed_at("a", "y"), std::vector<std::string>{"b"});
}

CAF_TEST(a_catalog_that_is_not_what_the_store_holds_begins_anew) {
  begin(1);
  CAF_CHECK(put("b", "x", "1"));
  CAF_CHECK(put("b", "y", "1"));
  auto before = generation_of("b");
  CAF_CHECK(keep_catalog(*nodes["b"].database, nodes["b"].context->counters));
  nodes["b"].database->entries().erase(keys::record("x"));
  restart("b");
  CAF_CHECK(generation_of("b") != before);
}

CAF_TEST_FIXTURE_SCOPE_END()
