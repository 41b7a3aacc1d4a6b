#define CAF_SUITE tunnel
#include "runtime/net/tunnel.hpp"

#include "runtime/net/unix_middleman.hpp"
#include "tests/net/tunnel_host.hpp"

#include <caf/test/dsl.hpp>

#include <future>

using namespace gnomon;
using namespace gnomon::test;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

tunnel_config with_delay(const std::string& node, duration delay) {
  tunnel_config config;
  config.delays[node] = delay;
  return config;
}

} // namespace

CAF_TEST(bytes_pass_both_ways_once_a_caller_is_welcome) {
  host a{"a"}, b{"b"};
  auto outcome = a.call(b.way->address());
  CAF_REQUIRE(outcome);
  CAF_CHECK_EQUAL(outcome->answer.from.node, "b");
  test_socket near{outcome->fd};
  auto far = b.inner.accept();
  near.send("hello");
  CAF_CHECK_EQUAL(far.receive(5), "hello");
  far.send("yes");
  CAF_CHECK_EQUAL(near.receive(3), "yes");
  a.way->hang_up(b.way->address());
  CAF_CHECK_EQUAL(near.receive(1), "");
  CAF_CHECK_EQUAL(far.receive(1), "");
}

CAF_TEST(a_caller_who_is_not_welcome_learns_why) {
  auto refuse = [](node_identity, tunnel::answer_function answer) { answer({reception::refused, "no room", {}}); };
  host a{"a"}, b{"b", {}, refuse};
  auto outcome = a.call(b.way->address());
  CAF_REQUIRE(outcome);
  CAF_CHECK(outcome->answer.verdict == reception::refused);
  CAF_CHECK_EQUAL(outcome->answer.sentence, "no room");
  CAF_CHECK_EQUAL(outcome->fd, -1);
}

CAF_TEST(garbage_is_closed_at_once_and_silence_at_the_deadline) {
  tunnel_config config;
  config.handshake_timeout = 300ms;
  host b{"b", config};
  auto port = port_of(b.way->address());
  auto garbage = connect_tcp(port);
  garbage.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK_EQUAL(garbage.receive(1), "");
  auto begin = steady::now();
  auto silent = connect_tcp(port);
  CAF_CHECK_EQUAL(silent.receive(1), "");
  auto waited = steady::now() - begin;
  CAF_CHECK(waited >= 250ms && waited < 2s);
  auto half = connect_tcp(port);
  half.send(std::string("GNOMON\x01\x00\x10", 9));
  CAF_CHECK_EQUAL(half.receive(1), "");
}

CAF_TEST(more_greetings_at_once_than_allowed_are_closed) {
  tunnel_config config;
  config.max_handshakes_each = 2;
  host b{"b", config};
  auto port = port_of(b.way->address());
  auto first = connect_tcp(port), second = connect_tcp(port);
  std::this_thread::sleep_for(100ms);
  auto begin = steady::now();
  CAF_CHECK_EQUAL(connect_tcp(port).receive(1), "");
  CAF_CHECK(steady::now() - begin < 1s);
}

CAF_TEST(more_connections_than_allowed_are_closed) {
  tunnel_config config;
  config.max_connections = 1;
  host a{"a"}, b{"b", config};
  auto outcome = a.call(b.way->address());
  CAF_REQUIRE(outcome);
  test_socket near{outcome->fd};
  CAF_CHECK_EQUAL(code_of(a.call(b.way->address()).error()), ec::unavailable);
  a.way->hang_up(b.way->address());
  CAF_CHECK(eventually([&] { return b.way->counts().at("plain_connections") == 0; }));
  auto again = a.call(b.way->address());
  CAF_REQUIRE(again);
  ::close(again->fd);
}

CAF_TEST(a_call_to_nobody_to_a_stranger_and_to_a_black_hole_fails_within_its_bound) {
  host a{"a"};
  CAF_CHECK_EQUAL(code_of(a.call("127.0.0.1:1").error()), ec::unavailable);
  tcp_listener mute;
  auto begin = steady::now();
  CAF_CHECK_EQUAL(code_of(a.call(mute.address(), 300ms).error()), ec::timeout);
  CAF_CHECK(steady::now() - begin < 2s);
  for (auto bad : {"", "7100", "host:7100", "127.0.0.1:", "127.0.0.1:99999", "10.0.0.1:7100"})
    CAF_CHECK_EQUAL(code_of(a.call(bad).error()), ec::invalid_argument);
}

CAF_TEST(only_loopback_and_only_a_free_port_can_be_listened_on) {
  auto refusal = [](const std::string& address) {
    tunnel_config config;
    config.listen = address;
    auto started = tunnel::start(config, welcome_all);
    CAF_REQUIRE(!started);
    CAF_CHECK_EQUAL(code_of(started.error()), ec::bad_config);
    return sentence_of(started.error());
  };
  CAF_CHECK(refusal("0.0.0.0:0").find("insecure") != std::string::npos);
  CAF_CHECK(refusal("192.0.2.1:7100").find("192.0.2.1:7100") != std::string::npos);
  host a{"a"};
  CAF_CHECK(refusal(a.way->address()).find(a.way->address()) != std::string::npos);
}

CAF_TEST(a_delay_holds_every_byte_back_and_keeps_the_order) {
  host a{"a", with_delay("b", 150ms)}, b{"b"};
  auto outcome = a.call(b.way->address());
  CAF_REQUIRE(outcome);
  test_socket near{outcome->fd};
  auto far = b.inner.accept();
  auto begin = steady::now();
  std::string sent;
  for (int i = 0; i < 50; ++i) {
    auto word = std::to_string(i) + ",";
    near.send(word);
    sent += word;
    std::this_thread::sleep_for(2ms);
  }
  CAF_CHECK_EQUAL(far.receive(1), "0");
  auto waited = steady::now() - begin;
  CAF_CHECK(waited >= 145ms && waited < 1s);
  CAF_CHECK_EQUAL(far.receive(sent.size() - 1), sent.substr(1));
  begin = steady::now();
  far.send("back");
  CAF_CHECK_EQUAL(near.receive(4), "back");
  CAF_CHECK(steady::now() - begin < 100ms); // the other direction has a delay of its own
}

CAF_TEST(a_receiver_that_stops_reading_stops_the_sender_and_loses_nothing) {
  tunnel_config config;
  config.buffer_bytes = 1u << 20;
  host a{"a", config}, b{"b", config};
  auto outcome = a.call(b.way->address());
  CAF_REQUIRE(outcome);
  test_socket near{outcome->fd};
  auto far = b.inner.accept();
  size_t sent = 0;
  std::string piece(64u << 10, 'x');
  while (auto n = near.send_some(piece, 500ms))
    sent += n;
  CAF_CHECK(sent > 1u << 20);
  CAF_CHECK(sent < 32u << 20);
  size_t received = 0;
  while (received < sent) {
    auto n = far.receive(std::min<size_t>(sent - received, 1u << 20)).size();
    CAF_REQUIRE(n > 0);
    received += n;
  }
  CAF_CHECK_EQUAL(received, sent);
}

CAF_TEST(stopping_closes_everything_within_a_bound) {
  host a{"a", with_delay("b", 10s)}, b{"b"};
  auto outcome = a.call(b.way->address());
  CAF_REQUIRE(outcome);
  test_socket near{outcome->fd};
  near.send("never arrives");
  auto silent = connect_tcp(port_of(a.way->address()));
  std::this_thread::sleep_for(50ms);
  auto begin = steady::now();
  a.way->stop();
  b.way->stop();
  CAF_CHECK(steady::now() - begin < 500ms);
  CAF_CHECK_EQUAL(near.receive(1), "");
  CAF_CHECK_EQUAL(code_of(a.call(b.way->address()).error()), ec::unavailable);
}

CAF_TEST(what_is_asked_after_the_end_is_refused_and_keeps_nothing) {
  auto kept = std::make_shared<int>();
  {
    host a{"a", {}, [kept](node_identity, tunnel::answer_function) {}};
    a.way->stop();
    CAF_CHECK_EQUAL(code_of(a.call("127.0.0.1:1").error()), ec::unavailable);
    a.way->hang_up("127.0.0.1:1");
    CAF_CHECK(!a.way->secure({}));
  }
  CAF_CHECK_EQUAL(kept.use_count(), 1);
}

CAF_TEST(the_nodes_own_socket_is_for_its_owner_only_and_for_one_process) {
  temporary_directory folder;
  caf::actor_system_config config;
  load_middleman(config);
  caf::actor_system system{config};
  auto path = folder / "node.sock";
  CAF_CHECK(!publish_on_socket(system, nullptr, path));
  CAF_CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all)
            == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  auto again = publish_on_socket(system, nullptr, path);
  CAF_CHECK_EQUAL(code_of(again), ec::bad_config);
  CAF_CHECK(sentence_of(again).find(path) != std::string::npos);
  CAF_CHECK_EQUAL(code_of(publish_on_socket(system, nullptr, std::string(200, 'x'))), ec::bad_config);
  unpublish_socket(system, path);
  CAF_CHECK(!std::filesystem::exists(path));
}
