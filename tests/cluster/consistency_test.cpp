// What clients are promised about their writes, over HTTP and between real processes.
#define CAF_SUITE consistency
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>

using namespace gnomon::test;

namespace {

constexpr int writers = 64;

struct two_nodes {
  two_nodes() {
    b.seed(a);
    for (auto* node : {&a, &b})
      node->set("placement.factor=2").set("requests.timeout=3s").set("requests.peer_timeout=2s").set("http.threads=2");
    if (!a.start_and_wait() || !b.start_and_wait() || !within(20s, [&] { return see_each_other(); }))
      CAF_FAIL("the nodes do not start: " << a.log() << b.log());
  }
  bool see_each_other() {
    auto live = [](node_under_test& node) {
      auto text = node.get("/cluster").body;
      auto first = text.find("\"state\":\"live\"");
      return first != std::string::npos && text.find("\"state\":\"live\"", first + 1) != std::string::npos;
    };
    return live(a) && live(b);
  }

  temporary_directory dir;
  node_under_test a{"a", "r1", dir.path()};
  node_under_test b{"b", "r2", dir.path()};
};

struct race_result {
  int won = 0;
  int refused = 0;
  std::string winner; // the value that it wrote
};

/// All writers send their own value under the same condition at once.
race_result race(node_under_test& node, const std::string& id, const std::string& condition) {
  std::vector<http_answer> answers(writers);
  std::vector<std::thread> threads;
  std::atomic<bool> go = false;
  for (int i = 0; i < writers; ++i)
    threads.emplace_back([&, i] {
      while (!go)
        std::this_thread::yield();
      answers[static_cast<size_t>(i)] = node.put(id, "writer " + std::to_string(i), condition);
    });
  go = true;
  for (auto& thread : threads)
    thread.join();
  race_result result;
  for (int i = 0; i < writers; ++i) {
    auto status = answers[static_cast<size_t>(i)].status;
    result.refused += status == 412;
    if (status == 201 || status == 204) {
      ++result.won;
      result.winner = "writer " + std::to_string(i);
    }
  }
  return result;
}

} // namespace

CAF_TEST(of_64_writers_that_expect_the_same_version_exactly_one_wins) {
  two_nodes nodes;
  auto etag = field(nodes.a.put("race", "start"), "ETag");
  for (int round = 0; round < 5; ++round) {
    auto result = race(nodes.a, "race", line("If-Match", etag));
    CAF_CHECK_EQUAL(result.won, 1);
    CAF_CHECK_EQUAL(result.refused, writers - 1);
    auto now = nodes.a.get("/data/race");
    CAF_CHECK_EQUAL(now.body, result.winner);
    etag = field(now, "ETag");
  }
}

CAF_TEST(of_64_writers_that_expect_no_item_exactly_one_wins) {
  two_nodes nodes;
  auto result = race(nodes.a, "new", "If-None-Match: *\r\n");
  CAF_CHECK_EQUAL(result.won, 1);
  CAF_CHECK_EQUAL(result.refused, writers - 1);
  CAF_CHECK_EQUAL(nodes.a.get("/data/new").body, result.winner);
}

CAF_TEST(conditions_are_refused_where_the_last_writer_wins) {
  two_nodes nodes;
  auto json = line("Content-Type", "application/json");
  CAF_CHECK_EQUAL(http(nodes.a.http_port(), "PUT", "/policy/type/log", R"({"conflicts": "lww"})", json).status, 200);
  auto etag = field(nodes.a.put("log/1", "one"), "ETag");
  auto refused = nodes.a.put("log/1", "two", line("If-Match", etag));
  CAF_CHECK_EQUAL(refused.status, 400);
  CAF_CHECK(has(refused.body, "last writer wins"));
  CAF_CHECK_EQUAL(nodes.a.put("log/1", "two").status, 204);
  CAF_CHECK_EQUAL(nodes.a.get("/data/log/1").body, "two");
}

CAF_TEST(versions_that_did_not_see_each_other_are_all_shown_and_settled_by_their_context) {
  two_nodes nodes;
  CAF_CHECK_EQUAL(nodes.a.put("both", "left").status, 201);
  CAF_CHECK_EQUAL(nodes.a.put("both", "right").status, 204);
  auto parts = nodes.a.get("/data/both");
  CAF_CHECK_EQUAL(parts.status, 300);
  CAF_CHECK(has(field(parts, "Content-Type"), "multipart/mixed; boundary="));
  CAF_CHECK(has(parts.body, "left") && has(parts.body, "right"));
  auto json = http(nodes.a.http_port(), "GET", "/data/both", {}, "Accept: application/json\r\n");
  CAF_CHECK_EQUAL(json.status, 300);
  CAF_CHECK_EQUAL(field(json, "Content-Type"), "application/json");
  CAF_CHECK(has(json.body, "bGVmdA==") && has(json.body, "cmlnaHQ="));
  auto settled = nodes.a.put("both", "settled", line("Gnomon-Context", field(parts, "Gnomon-Context")));
  CAF_CHECK_EQUAL(settled.status, 204);
  auto now = nodes.a.get("/data/both");
  CAF_CHECK_EQUAL(now.status, 200);
  CAF_CHECK_EQUAL(now.body, "settled");
}

CAF_TEST(a_write_that_is_sent_again_changes_nothing) {
  two_nodes nodes;
  auto once = line("Gnomon-Request-Id", "request-1");
  auto first = nodes.a.put("once", "value", once);
  auto again = nodes.a.put("once", "value", once);
  CAF_CHECK_EQUAL(first.status, 201);
  CAF_CHECK_EQUAL(again.status, 204);
  CAF_CHECK_EQUAL(field(first, "ETag"), field(again, "ETag"));
  CAF_CHECK_EQUAL(nodes.a.get("/data/once").status, 200);
}

CAF_TEST(who_sends_back_its_context_reads_its_own_writes_in_every_region) {
  two_nodes nodes;
  std::string context;
  for (int i = 0; i < 30; ++i) {
    auto value = "value " + std::to_string(i);
    auto sent = context.empty() ? std::string{} : line("Gnomon-Context", context);
    auto written = (i % 2 ? nodes.a : nodes.b).put("session", value, sent);
    CAF_REQUIRE(written.status == 201 || written.status == 204);
    context = field(written, "Gnomon-Context");
    auto& other = i % 2 ? nodes.b : nodes.a;
    auto read = http(other.http_port(), "GET", "/data/session", {}, line("Gnomon-Context", context));
    CAF_CHECK_EQUAL(read.status, 200);
    CAF_CHECK_EQUAL(read.body, value);
  }
}

CAF_TEST(a_write_with_too_few_copies_is_refused_with_what_it_reached_and_stays) {
  two_nodes nodes;
  auto refused = nodes.a.put("many", "value", "Gnomon-Acks: 3\r\n");
  CAF_CHECK_EQUAL(refused.status, 503);
  CAF_CHECK(has(refused.body, "not-enough-acks"));
  CAF_CHECK(has(refused.body, "on disk in 2 regions") && has(refused.body, "3 durable copies"));
  CAF_CHECK(has(refused.body, "may still arrive"));
  CAF_CHECK_EQUAL(nodes.a.get("/data/many").body, "value");
  CAF_CHECK_EQUAL(nodes.a.put("few", "value", "Gnomon-Acks: 2\r\n").status, 201);
}

CAF_TEST(a_deleted_item_is_gone_until_it_is_written_again) {
  two_nodes nodes;
  nodes.a.put("gone", "value");
  CAF_CHECK_EQUAL(http(nodes.a.http_port(), "DELETE", "/data/gone").status, 204);
  auto deleted = nodes.a.get("/data/gone");
  CAF_CHECK_EQUAL(deleted.status, 410);
  auto back = nodes.a.put("gone", "again", line("Gnomon-Context", field(deleted, "Gnomon-Context")));
  CAF_CHECK_EQUAL(back.status, 201);
  CAF_CHECK_EQUAL(nodes.a.get("/data/gone").body, "again");
}
