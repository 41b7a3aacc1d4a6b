#define CAF_SUITE client
#include "runtime/client/client.hpp"

#include "gnomon/watch.hpp"
#include "runtime/base/published.hpp"
#include "runtime/net/unix_middleman.hpp"
#include "tests/support/fake_router.hpp"
#include "tests/support/throws.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <filesystem>
#include <thread>
#include <unistd.h>

using namespace gnomon;
using namespace gnomon::testing;
using namespace std::chrono_literals;

namespace {

struct node_config : caf::actor_system_config {
  node_config() {
    register_messages(*this);
    load_middleman(*this);
    set("scheduler.max-threads", size_t{2});
  }
};

struct fixture {
  node_config config;
  caf::actor_system system{config};
  std::shared_ptr<fake_items> kept = std::make_shared<fake_items>();
  published<std::vector<router_actor>> current; // the router, or nothing
  local_clients clients;

  fixture() {
    start_router();
  }
  ~fixture() {
    stop_router();
  }
  void start_router() {
    current.set({system.spawn(fake_router, kept)});
  }
  void stop_router() {
    for (auto& router : *current.get())
      caf::anon_send_exit(router, caf::exit_reason::kill);
    current.set({});
  }
  gnomon::client make_client(client_options options = {}) {
    return clients.make(
        system,
        [this] {
          auto routers = current.get();
          return routers->empty() ? router_actor{} : routers->front();
        },
        options);
  }
};

template <class F>
bool eventually(F f) {
  for (int i = 0; i < 200; ++i) {
    if (f())
      return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

watcher_actor::behavior_type counting(watcher_actor::pointer, std::shared_ptr<std::atomic<int>> seen) {
  return {[seen](const change&) { ++*seen; }};
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_tests, fixture)

CAF_TEST(a_write_is_read_back) {
  auto node = make_client();
  auto receipt = node.put("a", "hello", {.content_type = "text/plain"});
  CAF_CHECK(receipt.created);
  auto found = node.get("a");
  CAF_REQUIRE(found);
  CAF_CHECK_EQUAL(found->value(), "hello");
  CAF_CHECK_EQUAL(found->context, receipt.context);
  CAF_CHECK_EQUAL(found->versions.at(0).content_type, "text/plain");
  CAF_CHECK(!node.get("b"));
}

CAF_TEST(a_write_replaces_only_when_it_is_told_to) {
  auto node = make_client();
  node.put("a", "1");
  node.put("a", "2");
  CAF_CHECK_EQUAL(node.get("a")->versions.size(), 2u);
  CAF_CHECK_EQUAL(code_from([&] { node.get("a")->value(); }), ec::precondition_failed);
  node.put("a", "3", {.replace = true});
  CAF_CHECK_EQUAL(node.get("a")->value(), "3");
}

CAF_TEST(a_write_goes_out_under_the_request_id_it_was_given) {
  auto node = make_client();
  node.put("a", "1", {.request_id = "mine"});
  node.put("b", "1");
  const auto& given = kept->items.at("a").versions.siblings;
  const auto& made = kept->items.at("b").versions.siblings;
  CAF_CHECK_EQUAL(given.at(0).request_id, "mine");
  CAF_CHECK_EQUAL(made.at(0).request_id.size(), 16u);
  CAF_CHECK_EQUAL(code_from([&] { node.put("c", "1", {.request_id = "two words"}); }), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_from([&] { node.put("c", "1", {.if_absent = true, .if_match = "\"1\""}); }),
                  ec::invalid_argument);
  CAF_CHECK_EQUAL(kept->items.count("c"), 0u);
}

CAF_TEST(a_deleted_item_is_not_there_and_cannot_be_deleted_twice) {
  auto node = make_client();
  node.put("a", "1");
  node.put("a", "2");
  node.del("a");
  CAF_CHECK(!node.get("a"));
  CAF_CHECK_EQUAL(code_from([&] { node.del("a"); }), ec::not_found);
  CAF_CHECK_EQUAL(code_from([&] { node.del("b"); }), ec::not_found);
  node.put("a", "3", {.replace = true});
  CAF_CHECK_EQUAL(kept->items["a"].versions.siblings.size(), 1u);
}

CAF_TEST(wrong_arguments_are_refused_without_a_node) {
  stop_router();
  auto node = make_client();
  CAF_CHECK_EQUAL(code_from([&] { node.get(""); }), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_from([&] { node.get(std::string(2000, 'x')); }), ec::too_large);
  CAF_CHECK_EQUAL(code_from([&] { node.put("a", std::string((64u << 20) + 1, 'x')); }), ec::too_large);
  CAF_CHECK_EQUAL(code_from([&] { node.put("a", "", {.context = "?"}); }), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_from([&] { node.put("a/../b", ""); }), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_from([&] { node.put("a", "", {.expires = time_point::max()}); }), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_from([&] { node.set_policy({"planet", "x", "{}"}); }), ec::invalid_argument);
}

CAF_TEST(without_a_node_a_request_fails_when_its_patience_ends) {
  stop_router();
  auto start = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(code_from([&] { make_client({.patience = 0ms}).get("a"); }), ec::unavailable);
  CAF_CHECK(std::chrono::steady_clock::now() - start < 2s);
  CAF_CHECK_EQUAL(code_from([&] { make_client({.patience = 300ms}).get("a"); }), ec::unavailable);
  CAF_CHECK(std::chrono::steady_clock::now() - start > 300ms);
}

CAF_TEST(a_request_waits_for_a_node_that_comes_up) {
  stop_router();
  auto node = make_client();
  auto later = node.put_later("a", "hello");
  std::this_thread::sleep_for(100ms);
  start_router();
  CAF_CHECK(later.get().created);
}

CAF_TEST(a_request_without_an_answer_ends_in_time) {
  kept->silent = true;
  auto node = make_client({.timeout = 300ms});
  auto start = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(code_from([&] { node.put("slow", ""); }), ec::timeout);
  CAF_CHECK(std::chrono::steady_clock::now() - start < 3s);
  CAF_CHECK(node.put("fast", "").created);
}

CAF_TEST(what_was_under_way_is_repeated_at_the_next_router_unless_it_had_a_condition) {
  kept->silent = true;
  auto node = make_client();
  node.put("a", "");
  auto plain = node.put_later("slow/1", "x");
  auto careful = node.put_later("slow/2", "x", {.if_absent = true});
  std::this_thread::sleep_for(100ms);
  stop_router();
  std::this_thread::sleep_for(100ms);
  kept->silent = false;
  start_router();
  CAF_CHECK_EQUAL(plain.get().id, "slow/1");
  CAF_CHECK_EQUAL(code_from([&] { careful.get(); }), ec::peer_gone);
}

CAF_TEST(closing_the_client_ends_what_is_under_way) {
  kept->silent = true;
  later<put_receipt> answer;
  {
    auto node = make_client();
    answer = node.put_later("slow", "");
    std::this_thread::sleep_for(50ms);
  }
  CAF_REQUIRE(answer.wait_for(5s));
  CAF_CHECK_EQUAL(code_from([&] { answer.get(); }), ec::unavailable);
}

CAF_TEST(a_client_that_outlives_its_node_is_told_so) {
  auto node = make_client();
  node.put("a", "1");
  auto watcher = node.system().spawn(counting, std::make_shared<std::atomic<int>>(0));
  watch(node, the_item("a"), watcher);
  clients.close();
  CAF_CHECK_EQUAL(code_from([&] { node.get("a"); }), ec::unavailable);
}

CAF_TEST(many_requests_wait_for_their_turn) {
  auto node = make_client({.max_in_flight = 8});
  std::vector<later<put_receipt>> writes;
  for (int i = 0; i < 400; ++i)
    writes.push_back(node.put_later(std::to_string(i), "x", {.replace = true}));
  for (auto& write : writes)
    write.get();
  CAF_CHECK_EQUAL(kept->writes.load(), 400u);
  auto page = node.list({}, {}, 300);
  CAF_CHECK_EQUAL(page.items.size(), 300u);
  CAF_CHECK(page.more);
  CAF_CHECK_EQUAL(node.list({}, page.items.back().id, 300).items.size(), 100u);
}

CAF_TEST(a_watcher_is_told_of_changes_until_it_unsubscribes_and_over_a_restart) {
  auto node = make_client();
  auto seen = std::make_shared<std::atomic<int>>(0);
  auto watcher = node.system().spawn(counting, seen);
  watch(node, the_item("a"), watcher);
  node.put("a", "1");
  node.put("b", "1");
  CAF_CHECK(eventually([&] { return *seen == 1; }));
  stop_router();
  start_router();
  auto asked = kept->subscriptions.load();
  CAF_CHECK(eventually([&] { return kept->subscriptions > asked; }));
  node.put("a", "2");
  CAF_CHECK(eventually([&] { return *seen == 2; }));
  unwatch(node, the_item("a"), watcher);
  node.put("a", "3");
  node.put("a", "4");
  CAF_CHECK_EQUAL(*seen, 2);
}

CAF_TEST_FIXTURE_SCOPE_END()
