#define CAF_SUITE snapshot
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

using namespace gnomon::test;

namespace {

int shell(const node_under_test& node, const std::string& command) {
  auto line = std::string{"timeout 60 " GNOMON " --socket "} + node.data_dir() + "/gnomon.sock " + command;
  return std::system((line + " >/dev/null 2>&1").c_str());
}

/// Writes numbered items, four at a time, and notes what was acknowledged.
class writers {
public:
  explicit writers(node_under_test& node) {
    for (int k = 0; k < 4; ++k)
      threads_.emplace_back([this, k, &node] {
        for (int i = 0; !stop_; ++i) {
          auto id = "item/" + std::to_string(k) + "-" + std::to_string(i);
          if (node.put(id, "value of " + id).status != 201)
            continue;
          std::lock_guard lock{mutex_};
          acknowledged_[id] = "value of " + id;
        }
      });
  }
  ~writers() {
    stop();
  }
  void stop() {
    stop_ = true;
    for (auto& t : threads_)
      t.join();
    threads_.clear();
  }
  std::map<std::string, std::string> acknowledged() {
    std::lock_guard lock{mutex_};
    return acknowledged_;
  }

private:
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::map<std::string, std::string> acknowledged_;
  std::vector<std::thread> threads_;
};

size_t missing(node_under_test& node, const std::map<std::string, std::string>& items) {
  size_t n = 0;
  for (const auto& [id, value] : items)
    n += node.get("/data/" + id).body != value;
  return n;
}

} // namespace

CAF_TEST(what_was_acknowledged_before_a_snapshot_under_writes_is_there_after_it_was_loaded_elsewhere) {
  temporary_directory dir;
  auto file = dir / "all.snap.gz";
  node_under_test old{"old", "r1", dir.path()};
  CAF_REQUIRE(old.start_and_wait());
  std::map<std::string, std::string> before;
  {
    writers load{old};
    CAF_REQUIRE(within(30s, [&] { return load.acknowledged().size() >= 200; }));
    before = load.acknowledged();
    CAF_CHECK_EQUAL(shell(old, "snapshot save " + file), 0);
  }
  CAF_CHECK_EQUAL(old.put("item/later", "later").status, 201);
  CAF_CHECK_EQUAL(old.terminate(), 0);

  node_under_test fresh{"fresh", "r2", dir.path()};
  CAF_REQUIRE(fresh.start_and_wait());
  CAF_CHECK_EQUAL(fresh.put("item/0-0", "newer here", "Gnomon-Acks: 1\r\n").status, 201);
  CAF_CHECK_EQUAL(shell(fresh, "snapshot load " + file), 0);
  CAF_CHECK_EQUAL(fresh.get("/data/item/0-0").status, 300); // neither knew of the other
  before.erase("item/0-0");
  CAF_CHECK_EQUAL(missing(fresh, before), 0u);
  CAF_CHECK_EQUAL(fresh.get("/data/item/later").status, 404);
}

CAF_TEST(a_node_that_lost_its_disk_gets_back_what_nobody_else_had) {
  temporary_directory dir;
  auto file = dir / "a.snap";
  node_under_test a{"a", "r1", dir.path()};
  node_under_test b{"b", "r2", dir.path()};
  b.seed(a);
  for (auto* node : {&a, &b})
    node->set("placement.factor=1").set("placement.min_copies=1").set("membership.heartbeat=100ms");
  CAF_REQUIRE(a.start_and_wait() && b.start_and_wait());
  std::map<std::string, std::string> items;
  for (int i = 0; i < 50; ++i) {
    auto id = "item/" + std::to_string(i);
    items[id] = "old";
    CAF_CHECK_EQUAL(a.put(id, "old").status, 201);
  }
  CAF_CHECK_EQUAL(shell(a, "snapshot save " + file), 0);
  CAF_CHECK_EQUAL(shell(b, "put item/7 new"), 0);
  items["item/7"] = "new";
  CAF_CHECK_EQUAL(shell(b, "del item/8"), 0);
  items.erase("item/8");
  CAF_CHECK(within(20s, [&] { return a.get("/data/item/7").body == "new" && a.get("/data/item/8").status != 200; }));
  a.kill();
  std::filesystem::remove_all(a.data_dir());
  CAF_REQUIRE(a.start_and_wait());
  CAF_CHECK(within(20s, [&] { return a.get("/data/item/7").body == "new"; })); // the two know each other again
  CAF_CHECK_EQUAL(shell(a, "snapshot load " + file), 0);
  CAF_CHECK_EQUAL(missing(a, items), 0u);
  CAF_CHECK_EQUAL(missing(b, items), 0u);
  CAF_CHECK_NOT_EQUAL(b.get("/data/item/8").status, 200);
}
