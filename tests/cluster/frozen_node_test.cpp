#define CAF_SUITE frozen_node
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <nlohmann/json.hpp>

#include <future>

using namespace gnomon::test;

namespace {

nlohmann::json cluster_at(node_under_test& node) {
  return nlohmann::json::parse(node.get("/cluster").body, nullptr, false);
}

std::string state_at(node_under_test& node, const std::string& name) {
  auto page = cluster_at(node);
  if (page.is_object())
    for (const auto& line : page["nodes"])
      if (line["node"] == name)
        return line["state"];
  return {};
}

bool fresh(node_under_test& node) {
  auto page = cluster_at(node);
  return page.is_object() && page["catching_up_ms"] == 0;
}

struct three_nodes {
  three_nodes() {
    for (auto* node : {&b, &c})
      node->seed(a);
    for (auto* node : {&a, &b, &c})
      node->set("placement.factor=3").set("placement.min_copies=3");
  }
  bool start() {
    return a.start_and_wait() && b.start_and_wait() && c.start_and_wait()
           && within(30s, [&] { return fresh(a) && fresh(b) && fresh(c) && state_at(a, "c") == "live"; });
  }

  temporary_directory dir;
  node_under_test a{"a", "r1", dir.path()};
  node_under_test b{"b", "r2", dir.path()};
  node_under_test c{"c", "r3", dir.path()};
};

/// The value is the new one, or the answer says that it may be old.
bool honest(const http_answer& answer) {
  return answer.body == "new" || answer.head.find("Gnomon-Stale: true") != std::string::npos || answer.status >= 500;
}

} // namespace

CAF_TEST(a_frozen_node_is_noticed_and_serves_nothing_old_as_current_when_it_wakes) {
  three_nodes cluster;
  CAF_REQUIRE(cluster.start());
  auto& a = cluster.a;
  auto& b = cluster.b;
  auto& c = cluster.c;
  auto first = a.put("x", "old", "Gnomon-Acks: all\r\n");
  CAF_REQUIRE_EQUAL(first.status, 201);
  CAF_REQUIRE(within(20s, [&] { return c.get("/data/x").head.find("Gnomon-Copy: local") != std::string::npos; }));

  c.signal(SIGSTOP);
  CAF_CHECK(within(20s, [&] { return state_at(a, "c") == "down" && state_at(b, "c") == "down"; }));
  CAF_CHECK_EQUAL(b.get("/data/x").body, "old");
  CAF_CHECK_EQUAL(a.put("x", "new", line("Gnomon-Context", field(first, "Gnomon-Context"))).status, 204);
  CAF_CHECK(within(10s, [&] { return b.get("/data/x").body == "new"; }));

  auto asked_while_frozen = std::async(std::launch::async, [&] { return c.get("/data/x"); });
  std::this_thread::sleep_for(300ms);
  c.signal(SIGCONT);
  CAF_CHECK(honest(asked_while_frozen.get()));
  CAF_CHECK(within(60s, [&] {
    auto answer = c.get("/data/x");
    CAF_CHECK(honest(answer));
    return answer.body == "new" && answer.head.find("Gnomon-Copy: local") != std::string::npos
           && answer.head.find("Gnomon-Stale") == std::string::npos;
  }));
  CAF_CHECK(fresh(c));
}
