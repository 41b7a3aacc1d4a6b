#define CAF_SUITE three_nodes
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <map>

using namespace gnomon::test;

namespace {

/// How many nodes /cluster reports as live, the asked one included.
size_t live_nodes(node_under_test& node) {
  auto text = node.get("/cluster").body;
  size_t n = 0;
  for (size_t at = 0; (at = text.find("\"state\"", at)) != std::string::npos; ++at) {
    auto value = text.substr(at + 7, 12);
    n += has(value, "\"live\"") || has(value, "\"self\"");
  }
  return n;
}

struct three_nodes {
  three_nodes() {
    for (auto* node : {&b, &c})
      node->seed(a);
    for (auto* node : {&a, &b, &c}) {
      node->set("placement.factor=2").set("membership.heartbeat=100ms");
      node->set("membership.suspect_after=500ms").set("membership.down_after=1s").set("membership.fresh_for=1s");
    }
  }
  bool start() {
    return a.start_and_wait() && b.start_and_wait() && c.start_and_wait()
           && within(20s, [&] { return live_nodes(a) == 3 && live_nodes(b) == 3 && live_nodes(c) == 3; });
  }

  temporary_directory dir;
  node_under_test a{"a", "r1", dir.path()};
  node_under_test b{"b", "r2", dir.path()};
  node_under_test c{"c", "r3", dir.path()};
};

/// Writes one item after the other through `node` until that dies, and adds what was acknowledged. No id is used twice:
/// a write that was stored but not acknowledged would stay beside the second one.
void write_until_dead(node_under_test& node, const std::string& prefix,
                      std::map<std::string, std::string>& acknowledged, std::atomic<int>& count) {
  for (int i = 0, failures = 0; failures < 3; ++i) {
    auto id = prefix + std::to_string(i);
    auto value = "value of " + id;
    if (auto status = node.put(id, value).status; status == 201 || status == 204) {
      acknowledged[id] = value;
      ++count;
    } else {
      ++failures;
    }
  }
}

size_t lost_at(node_under_test& node, const std::map<std::string, std::string>& acknowledged) {
  size_t lost = 0;
  for (const auto& [id, value] : acknowledged)
    lost += node.get("/data/" + id).body != value;
  return lost;
}

} // namespace

CAF_TEST(every_acknowledged_write_is_there_after_a_node_was_killed_and_restarted) {
  three_nodes cluster;
  CAF_REQUIRE(cluster.start());
  std::map<std::string, std::string> acknowledged;
  for (int round = 1; round <= 3; ++round) {
    std::atomic<int> count = 0;
    auto prefix = "round-" + std::to_string(round) + "/";
    std::thread writer{[&] { write_until_dead(cluster.b, prefix, acknowledged, count); }};
    CAF_CHECK(within(20s, [&] { return count >= 50 * round; }));
    cluster.b.kill();
    writer.join();
    CAF_REQUIRE(cluster.b.start_and_wait());
    CAF_CHECK_EQUAL(lost_at(cluster.b, acknowledged), 0u);
  }
  CAF_MESSAGE(acknowledged.size() << " writes were acknowledged before the kills");
  CAF_CHECK(within(20s, [&] { return live_nodes(cluster.a) == 3; }));
  CAF_CHECK_EQUAL(lost_at(cluster.c, acknowledged), 0u);
}

CAF_TEST(what_two_nodes_acknowledged_is_read_while_one_of_them_is_dead) {
  three_nodes cluster;
  CAF_REQUIRE(cluster.start());
  for (int i = 0; i < 20; ++i)
    CAF_CHECK_EQUAL(cluster.b.put("item/" + std::to_string(i), "v", "Gnomon-Acks: 2\r\n").status, 201);
  cluster.b.kill();
  CAF_CHECK(within(10s, [&] { return live_nodes(cluster.a) == 2 && live_nodes(cluster.c) == 2; }));
  for (int i = 0; i < 20; ++i) {
    CAF_CHECK_EQUAL(cluster.a.get("/data/item/" + std::to_string(i)).body, "v");
    CAF_CHECK_EQUAL(cluster.c.get("/data/item/" + std::to_string(i)).body, "v");
  }
}

CAF_TEST(a_second_node_of_a_region_and_a_second_node_of_a_name_are_refused_in_one_line) {
  temporary_directory dir;
  node_under_test a{"a", "r1", dir.path()};
  CAF_REQUIRE(a.start_and_wait());
  auto refused = [&](node_under_test& node) {
    node.seed(a).start();
    CAF_CHECK_EQUAL(node.exit_status(30s), 1);
    auto log = node.log();
    auto at = log.rfind("gnomond: ");
    auto line = at == std::string::npos ? log : log.substr(at);
    CAF_MESSAGE(line);
    return line;
  };
  node_under_test same_region{"b", "r1", dir.path()};
  CAF_CHECK(has(refused(same_region), "r1"));
  node_under_test same_name{"a", "r2", dir.path()};
  CAF_CHECK(has(refused(same_name), "a"));
  node_under_test other_cluster{"c", "r3", dir.path()};
  CAF_CHECK(has(refused(other_cluster.set("cluster.name=elsewhere")), "elsewhere"));
}
