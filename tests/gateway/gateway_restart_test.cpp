#define CAF_SUITE gateway_restart
#include "server_fixture.hpp"

#include "runtime/gateway/gateway_actor.hpp"
#include "runtime/gateway/open_requests.hpp"

#include <caf/test/dsl.hpp>

#include <thread>

using namespace gnomon;
using namespace gnomon::test;

namespace {

const std::string read_a = "GET /data/a HTTP/1.1\r\nHost: x\r\n\r\n";

/// A clock that fails when it is told to, as anything does when memory runs out.
class failing_clock final : public gnomon::clock {
public:
  timestamp now() const override {
    if (fails)
      throw std::bad_alloc{};
    return timestamp{std::chrono::hours{24 * 365 * 50}};
  }
  std::atomic<bool> fails{false};
};

struct restart_fixture : server_fixture {
  /// Ends the gateway at once, and waits for its successor.
  void crash_gateway() {
    auto old = server->gateway();
    caf::anon_send_exit(old, caf::exit_reason::kill);
    while (!server->gateway() || server->gateway() == old)
      std::this_thread::sleep_for(1ms);
  }
  void wait_for_reads(int count) {
    while (script->reads < count)
      std::this_thread::sleep_for(1ms);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_restart_tests, restart_fixture)

CAF_TEST(requests_under_way_are_told_to_try_again_when_the_gateway_ends) {
  node->config.request_timeout = 1h; // longer than any test may take
  script->silent = true;
  start();
  connection first{port}, second{port};
  first.send(read_a);
  second.send(read_a);
  wait_for_reads(2);
  crash_gateway();
  for (auto* waiting : {&first, &second}) {
    auto answer = waiting->read_answer();
    CAF_CHECK(is(answer, 503));
    CAF_CHECK(has(answer, "Retry-After: 1\r\n"));
    CAF_CHECK(has(answer, "try again"));
  }
  script->silent = false;
  first.send(read_a); // the connection goes on
  CAF_CHECK(is(first.read_answer(), 404));
}

CAF_TEST(the_gateway_comes_back_as_often_as_it_ends) {
  start();
  for (int i = 0; i < 20; ++i) {
    crash_gateway();
    CAF_CHECK(is(get("/data/a"), 404));
  }
}

CAF_TEST(no_request_is_lost_while_the_gateway_ends_again_and_again) {
  start();
  std::atomic<bool> over{false};
  std::atomic<int> answered{0}, silent{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!over) {
        auto answer = get("/data/a");
        ++(is(answer, 404) || is(answer, 503) ? answered : silent);
      }
    });
  for (int i = 0; i < 30; ++i)
    crash_gateway();
  auto seen = answered.load();
  while (answered < seen + 20)
    std::this_thread::sleep_for(1ms);
  over = true;
  for (auto& reader : readers)
    reader.join();
  CAF_CHECK_EQUAL(silent.load(), 0);
}

CAF_TEST(an_exception_in_the_actor_ends_in_a_restart_and_an_answer_for_all) {
  std::mutex guard;
  std::map<uint64_t, std::string> heard;
  std::atomic<bool> throws{true};
  auto open = std::make_shared<http::open_requests>([&](uint64_t token, http::client_result result) {
    std::lock_guard lock{guard};
    auto* err = std::get_if<caf::error>(&result);
    heard[token] = err ? std::string{name(code_of(*err))} : "reply";
  });
  auto begin = [&] {
    auto handle = system.spawn(gnomon::gateway, node, [&, open](uint64_t token, http::client_result result) {
      if (throws.exchange(false))
        throw std::runtime_error{"as told"};
      open->answer(token, std::move(result));
    });
    open->serve_with(handle);
  };
  begin();
  open->ask(1, get_cluster{});
  auto count = [&] {
    std::lock_guard lock{guard};
    return heard.size();
  };
  while (count() < 1)
    std::this_thread::sleep_for(1ms);
  open->ask(2, get_cluster{}); // nobody serves
  CAF_CHECK_EQUAL(heard[1], "unavailable");
  CAF_CHECK_EQUAL(heard[2], "unavailable");
  begin();
  open->ask(3, get_cluster{});
  while (count() < 3)
    std::this_thread::sleep_for(1ms);
  CAF_CHECK_EQUAL(heard[3], "reply");
  caf::anon_send_exit(open->gateway(), caf::exit_reason::user_shutdown);
}

CAF_TEST(a_request_that_throws_in_an_http_thread_is_answered_and_the_thread_goes_on) {
  limits.threads = 1;
  auto time = std::make_shared<failing_clock>();
  node->time = time;
  start();
  publish("a", "value");
  time->fails = true;
  for (auto target : {"/data/a", "/data/b"}) {
    auto answer = get(target);
    CAF_CHECK(is(answer, 503));
    CAF_CHECK(has(answer, "try again"));
  }
  time->fails = false;
  CAF_CHECK(is(get("/data/a"), 200));
  CAF_CHECK(is(get("/data/b"), 404));
}

CAF_TEST_FIXTURE_SCOPE_END()
