#define CAF_SUITE basp_guard
#include "tests/net/guard_fixture.hpp"

#include <random>

using namespace gnomon;
using namespace gnomon::test;
using verdict = basp_guard::verdict;

namespace {

constexpr uint64_t request = (1ull << 60) | 7, response = (1ull << 63) | 7, async = 1ull << 60;
constexpr uint64_t our_gate = 3, our_link = 40;

/// A peer that called this node, and whose link this node knows.
struct fixture : guard_fixture {
  fixture() : guard_fixture{"peer", basp_role::calling_node} {}
  static std::string to_link(const std::string& payload) {
    return basp::message({.data = async, .source = 5, .target = our_link}, payload);
  }
  static std::string hello(const basp::hello_facts& facts = {}, uint64_t kind = request, uint64_t to = our_gate) {
    return basp::message({.data = kind, .source = 5, .target = to}, basp::hello(facts));
  }
  void greet() {
    guard.note(basp::server_greeting(basp::node('o'), our_gate));
    CAF_CHECK(passes(basp::client_greeting(basp::node('p'))));
  }
  void begin_session() {
    greet();
    CAF_CHECK(passes(hello()));
    guard.note(basp::message({.data = response, .source = our_link, .target = 5},
                             basp::hello({.name = "own", .id = basp::node('o'), .end = our_link})));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(basp_guard_tests, fixture)

CAF_TEST(what_links_send_passes) {
  begin_session();
  CAF_CHECK(passes(to_link(basp::frame(9, std::string(900, 'x')))));
  guard.note(basp::message({.data = async, .source = our_link, .target = 5}, basp::credit(9, 900, 1)));
  CAF_CHECK(passes(to_link(basp::credit(9, 100, 1))));
  CAF_CHECK(passes(to_link(basp::content("@<>+gnomon::session_over", basp::number<uint64_t>(8)))));
  CAF_CHECK(passes(basp::message({.what = basp::monitor, .target = our_link}, basp::node('p') + basp::node('o'))));
  const auto why = basp::number<uint8_t>(1) + basp::number<uint64_t>(2);
  const auto ended = basp::node('p') + basp::node('o') + why + basp::number<uint16_t>(0);
  CAF_CHECK(passes(basp::message({.what = basp::down, .source = 5}, ended + basp::text("@<>"))));
  CAF_CHECK(
      passes(basp::message({.what = basp::down, .source = 5}, ended + basp::text("@<>+@str") + basp::text("why"))));
  CAF_CHECK(passes(basp::message({.what = basp::heartbeat}, {})));
  CAF_CHECK(passes(basp::message({.data = response, .source = 5, .target = our_link},
                                 basp::content("@<>+@error", why + basp::number<uint16_t>(0) + basp::text("@<>")))));
}

CAF_TEST(a_node_that_was_called_greets_once) {
  basp_guard called{peers, "peer", basp_role::called_node};
  const auto greeting = basp::server_greeting(basp::node('p'), 3);
  CAF_CHECK(called.judge(greeting, now).what == verdict::pass);
  CAF_CHECK(called.judge(greeting, now).what == verdict::cut);
}

CAF_TEST(messages_may_arrive_in_any_pieces) {
  greet();
  const auto bytes = hello();
  for (size_t n = 0; n < bytes.size(); ++n)
    CAF_CHECK(of(bytes.substr(0, n)) == verdict::wait);
  CAF_CHECK(guard.judge(bytes + "more", now).bytes == bytes.size());
}

CAF_TEST(what_is_sent_is_understood_in_any_pieces) {
  for (auto c :
       basp::server_greeting(basp::node('o'), our_gate)
           + basp::message({.data = async, .source = 41, .target = 5}, basp::frame(9, std::string(20'000, 'x')))
           + basp::message({.data = async, .source = our_link, .target = 5}, basp::credit(9, 1, 1)))
    guard.note(std::string_view{&c, 1});
  CAF_CHECK(passes(basp::client_greeting(basp::node('p'))));
  CAF_CHECK(passes(hello()));
  CAF_CHECK(passes(hello({}, response, 41)));
  CAF_CHECK(passes(to_link(basp::frame(9, "x"))));
}

CAF_TEST(the_search_for_a_spawn_server_is_left_out) {
  greet();
  const basp::head named{
      .data = async, .source = 7, .target = static_cast<uint64_t>(caf::atom("SpawnServ")), .flags = 1};
  const auto bytes = basp::message(named, basp::content("@<>+@atom+@atom+@str", std::string(30, 'x')));
  const auto ruling = guard.judge(bytes, now);
  CAF_CHECK(ruling.what == verdict::drop);
  CAF_CHECK_EQUAL(ruling.bytes, bytes.size());
  auto config = named;
  config.target = static_cast<uint64_t>(caf::atom("ConfigServ"));
  CAF_CHECK(cuts(basp::message(config, basp::content("@<>+@atom+@str", "x"))));
}

CAF_TEST(a_connection_begins_with_a_sound_handshake) {
  CAF_CHECK(cuts(to_link(basp::frame(9, "x"))));
  CAF_CHECK(cuts(basp::server_greeting(basp::node('p'), 3)));
  CAF_CHECK(cuts(basp::message({.what = basp::client_handshake}, {}))); // CAF would read what is not there
  CAF_CHECK(
      cuts(basp::message({.what = basp::client_handshake}, basp::number(static_cast<uint64_t>(caf::atom("uri"))))));
  CAF_CHECK(cuts(basp::client_greeting(basp::node('p') + "x")));
}

CAF_TEST(a_handshake_with_another_nodes_id_is_cut) {
  basp_guard other{peers, "other", basp_role::calling_node};
  CAF_CHECK(other.judge(basp::client_greeting(basp::node('q')), now).what == verdict::pass);
  CAF_CHECK(cuts(basp::client_greeting(basp::node('q'))));
  CAF_CHECK(cuts(basp::client_greeting(basp::node('o'))));
}

CAF_TEST(a_third_handshake_is_cut) {
  greet();
  CAF_CHECK(passes(basp::client_greeting(basp::node('p'))));
  CAF_CHECK(cuts(basp::client_greeting(basp::node('p'))));
}

CAF_TEST(lengths_that_no_message_has_are_cut_before_they_are_waited_for) {
  begin_session();
  CAF_CHECK(cuts(basp::message({.data = async, .source = 5, .target = our_link}, {}, UINT32_MAX)));
  CAF_CHECK(cuts(basp::message({.what = basp::monitor, .target = our_link}, {}, 100'000)));
  CAF_CHECK(cuts(to_link(basp::credit(9, 1, 1) + std::string(10'000, 'x'))));
  CAF_CHECK(cuts(to_link(basp::frame(9, "x") + "y")));
  CAF_CHECK(
      cuts(to_link(basp::content("@<>+gnomon::frame", basp::number<uint64_t>(9) + "\xFF\xFF\xFF\xFF\xFF\xFF\x01"))));
}

CAF_TEST(types_that_links_do_not_send_are_cut) {
  begin_session();
  for (auto types : {"@<>", "@<>+@exit", "@<>+@down", "@<>+@message", "@<>+@actorvec", "@<>+gnomon::read_item",
                     "@<>+gnomon::frame+gnomon::frame", "gnomon::frame", "@<>+@atom+@strong_actor_ptr", ""})
    CAF_CHECK(cuts(to_link(basp::content(types, std::string(40, '\0')))));
  CAF_CHECK(
      cuts(basp::message({.what = basp::routed, .source = 5, .target = our_link}, basp::node('p') + basp::node('o'))));
  CAF_CHECK(cuts(basp::message({.what = static_cast<basp::operation>(99)}, {})));
}

CAF_TEST(actors_that_are_not_for_the_peer_are_out_of_its_reach) {
  begin_session();
  auto to = [](uint64_t actor, const std::string& payload) {
    return basp::message({.data = async, .source = 5, .target = actor}, payload);
  };
  CAF_CHECK(cuts(to(our_link + 1, basp::frame(9, "x"))));
  CAF_CHECK(cuts(to(our_gate, basp::frame(9, "x"))));
  CAF_CHECK(cuts(to(our_link + 1, basp::credit(9, 1, 1))));
  CAF_CHECK(cuts(hello({}, request, our_link + 1)));
  CAF_CHECK(cuts(hello({}, response, our_link + 1)));
}

CAF_TEST(a_peer_speaks_for_itself_alone) {
  greet();
  CAF_CHECK(cuts(hello({.name = "other"})));
  CAF_CHECK(cuts(hello({.id = basp::node('q')})));
  CAF_CHECK(cuts(hello({.end = 0})));
  CAF_CHECK(cuts(basp::message({.what = basp::monitor, .target = our_link}, basp::node('q') + basp::node('o'))));
  CAF_CHECK(cuts(basp::message({.what = basp::monitor, .target = our_link}, basp::node('p') + basp::node('q'))));
}

CAF_TEST(frames_without_credit_are_cut) {
  begin_session();
  auto sent = 0;
  while (passes(to_link(basp::frame(9, "x"))))
    CAF_REQUIRE(++sent < 1000);
  CAF_CHECK(sent >= 4);
  guard.note(basp::message({.data = async, .source = our_link, .target = 5}, basp::credit(9, 1000, 1000)));
  CAF_CHECK(passes(to_link(basp::frame(9, "x"))));
}

CAF_TEST(frames_with_credit_go_on_for_ever) {
  begin_session();
  for (auto i = 0; i < 1000; ++i) {
    CAF_REQUIRE(passes(to_link(basp::frame(9, std::string(1000, 'x')))));
    guard.note(basp::message({.data = async, .source = our_link, .target = 5}, basp::credit(9, 1000, 1)));
  }
}

CAF_TEST(floods_of_small_messages_are_cut) {
  begin_session();
  auto beats = 0, credits = 0;
  while (passes(basp::message({.what = basp::heartbeat}, {})))
    CAF_REQUIRE(++beats < 1000);
  while (passes(to_link(basp::credit(9, 1, 1))))
    CAF_REQUIRE(++credits < 1000);
  now += std::chrono::seconds{2};
  CAF_CHECK(passes(basp::message({.what = basp::heartbeat}, {})));
}

CAF_TEST(random_bytes_never_pass) {
  begin_session();
  std::mt19937_64 random{1};
  for (auto i = 0; i < 20'000; ++i) {
    std::string bytes(32 + random() % 64, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random());
    CAF_REQUIRE(of(bytes) != verdict::pass);
  }
}

CAF_TEST(mutated_messages_pass_whole_or_not_at_all) {
  std::mt19937_64 random{2};
  for (auto i = 0; i < 20'000; ++i) {
    fixture fresh;
    fresh.greet();
    auto bytes = hello();
    for (auto n = random() % 4 + 1; n > 0; --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto ruling = fresh.guard.judge(bytes, now);
    CAF_REQUIRE(ruling.what != verdict::pass || ruling.bytes <= bytes.size());
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
