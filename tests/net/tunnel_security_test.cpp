#define CAF_SUITE tunnel_security
#include "runtime/base/log.hpp"
#include "runtime/base/process.hpp"
#include "runtime/net/preamble.hpp"
#include "tests/net/tunnel_host.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/tls_client.hpp"

#include <caf/test/dsl.hpp>

#include <optional>

using namespace gnomon;
using namespace gnomon::test;

namespace {

using steady = std::chrono::steady_clock;

tunnel_config with(credentials_ptr credentials, bool insecure = false) {
  tunnel_config config;
  config.security = {std::move(credentials), insecure, {}};
  return config;
}

uint64_t count(const host& at, const std::string& what) {
  return at.way->counts().at(what);
}

/// Both ends of a connection.
struct ends {
  test_socket near, far;
  void check() {
    near.send("hello");
    CAF_CHECK_EQUAL(far.receive(5), "hello");
    far.send("yes");
    CAF_CHECK_EQUAL(near.receive(3), "yes");
  }
};

/// Calls, and expects to be let in.
ends talk(host& from, host& to) {
  auto outcome = from.call(to.way->address());
  if (!outcome)
    CAF_FAIL(sentence_of(outcome.error()));
  CAF_REQUIRE(outcome->answer.verdict == reception::welcome);
  ends both{test_socket{outcome->fd}, to.inner.accept()};
  both.check();
  return both;
}

std::string refusal(host& from, host& to) {
  auto outcome = from.call(to.way->address());
  return outcome ? "let in" : sentence_of(outcome.error());
}

bool has(const std::string& text, const std::string& part) {
  auto found = text.find(part) != std::string::npos;
  if (!found)
    CAF_MESSAGE(text);
  return found;
}

std::string preamble_of(const std::string& node) {
  auto who = named(node);
  who.address = "127.0.0.1:1";
  return encode_caller({who, 1, 0});
}

/// What a caller with that certificate, who calls itself `name`, is told; empty when it is cut off.
std::optional<greeting> answer_to(const host& at, const tls_client::manner& how, const std::string& name) {
  tls_client client{port_of(at.way->address()), how};
  if (!client.shake_hands() || !client.send(preamble_of(name)))
    return std::nullopt;
  const auto length = body_length(client.receive(preamble_head_bytes));
  if (!length)
    return std::nullopt;
  auto answer = decode_greeting(client.receive(*length));
  return answer ? std::optional{*answer} : std::nullopt;
}

char pattern_at(size_t at) {
  return static_cast<char>(at * 2654435761u >> 13);
}

/// Ends early when nothing can be written for 5 s.
void write_pattern(test_socket& to, size_t total) {
  for (size_t at = 0, sent = 1; at < total && sent > 0; at += sent) {
    std::string piece(std::min<size_t>(20'000, total - at), '\0');
    for (size_t i = 0; i < piece.size(); ++i)
      piece[i] = pattern_at(at + i);
    sent = to.send_some(piece, 5s);
  }
}

/// Where what arrives is no longer the pattern; zero when all of it has arrived.
size_t first_wrong_byte(test_socket& from, size_t total) {
  for (size_t at = 0; at < total;) {
    const auto piece = from.receive(std::min<size_t>(50'000, total - at));
    if (piece.empty())
      return at + 1;
    for (const auto c : piece)
      if (c != pattern_at(at++))
        return at;
  }
  return 0;
}

/// Two nodes, for which both authorities vouch at times.
struct moving_pair {
  explicit moving_pair(duration delay) {
    auto config = with(nullptr, true);
    config.delays["b"] = config.delays["a"] = delay;
    a.emplace("a", config);
    b.emplace("b", config);
  }
  /// For both nodes: who vouches for them, and whom they trust. Holds when it returns.
  void secure(const test_authority& by, const std::string& trusts, bool insecure = false) {
    for (auto* at : {&*b, &*a}) {
      auto files = by.files_for(at == &*a ? "a" : "b");
      files.authorities = trusts;
      const auto before = told.load();
      CAF_CHECK(!at->way->secure({*credentials::load(files, at == &*a ? "a" : "b"), insecure, {}}));
      CAF_CHECK(eventually([&] { return told > before; }));
    }
  }
  std::atomic<int> told{0}; // how often one of them has said what holds from now on
  log::scope lines{log::open(
      [this](log::level, std::string_view line) { told += line.starts_with("tunnel speaks-tls") ? 1 : 0; }, "info")};
  std::optional<host> a, b;
};

} // namespace

CAF_TEST(nodes_with_certificates_talk_in_tls) {
  const test_authority authority;
  host a{"a", with(authority.credentials_for("a"))}, b{"b", with(authority.credentials_for("b"))};
  auto both = talk(a, b);
  CAF_CHECK_EQUAL(count(a, "tls_connections"), 1u);
  CAF_CHECK_EQUAL(count(b, "tls_connections"), 1u);
  CAF_CHECK_EQUAL(count(b, "plain_connections"), 0u);
  CAF_CHECK(count(b, "certificate_ends") > 1'700'000'000);
  CAF_CHECK(count(b, "authority_ends") > count(b, "certificate_ends"));
}

CAF_TEST(megabytes_arrive_whole_through_tls_also_with_a_delay) {
  const test_authority authority;
  auto config = with(authority.credentials_for("a"));
  for (auto delay : {0ms, 20ms}) {
    config.delays["b"] = delay;
    host a{"a", config}, b{"b", with(authority.credentials_for("b"))};
    auto outcome = a.call(b.way->address());
    CAF_REQUIRE(outcome);
    test_socket near{outcome->fd};
    auto far = b.inner.accept();
    std::string sent(8u << 20, '\0');
    for (size_t i = 0; i < sent.size(); ++i)
      sent[i] = static_cast<char>(i * 2654435761u >> 13);
    std::thread writer{[&] {
      for (size_t done = 0; done < sent.size();)
        done += near.send_some(sent.substr(done, 100'000), 5s);
    }};
    CAF_CHECK(far.receive(sent.size()) == sent);
    writer.join();
  }
}

CAF_TEST(nobody_without_a_good_certificate_gets_an_answer) {
  const test_authority authority, foreign;
  host b{"b", with(authority.credentials_for("b"))};
  const auto good = authority.files_for("a");
  CAF_REQUIRE(answer_to(b, {.shows = good}, "a"));
  CAF_CHECK(!answer_to(b, {}, "a"));                                                        // none at all
  CAF_CHECK(!answer_to(b, {.shows = foreign.files_for("a")}, "a"));                         // of another authority
  CAF_CHECK(!answer_to(b, {.shows = authority.files_for("a", past())}, "a"));               // that has ended
  CAF_CHECK(!answer_to(b, {.shows = {authority.certificate(), authority.key(), {}}}, "a")); // the authority's own
  CAF_CHECK(!answer_to(b, {.shows = good, .version = TLS1_2_VERSION}, "a"));                // in an older TLS
  CAF_CHECK(eventually([&] { return count(b, "failed_handshakes") == 5; }));
  CAF_CHECK(answer_to(b, {.shows = good}, "a"));
}

CAF_TEST(a_certificate_opens_for_the_node_that_it_names_alone) {
  const test_authority authority;
  std::atomic<int> asked{0};
  host b{"b", with(authority.credentials_for("b")), [&](node_identity, tunnel::answer_function answer) {
           ++asked;
           answer({reception::welcome, "", {}});
         }};
  const auto answer = answer_to(b, {.shows = authority.files_for("a")}, "c");
  CAF_REQUIRE(answer);
  CAF_CHECK(answer->verdict == reception::refused);
  CAF_CHECK(has(answer->sentence, "it calls itself c, but its certificate is for a"));
  CAF_CHECK_EQUAL(asked, 0);
  // And the other way round: a node that answers under a wrong name.
  host a{"a", with(authority.credentials_for("a"))}, liar{"liar", with(authority.credentials_for("d"))};
  CAF_CHECK(has(refusal(a, liar), "it calls itself liar, but its certificate is for d"));
}

CAF_TEST(a_shell_is_let_in_by_the_name_in_its_certificate_where_shells_may_come) {
  const test_authority authority;
  auto config = with(authority.credentials_for("b"));
  host closed{"closed", config};
  config.shell_came = [](const std::string&, asker) {};
  config.shell_left = [](const std::string&) {};
  auto ask_no_greeter = [](node_identity, const tunnel::answer_function& answer) {
    answer({reception::refused, "it is no node", {}});
  };
  host b{"b", config, ask_no_greeter};
  const tls_client::manner alice{.shows = authority.files_for_shell("alice")};
  auto verdict = [&](const host& at, const tls_client::manner& how, const std::string& name) {
    const auto answer = answer_to(at, how, name);
    CAF_REQUIRE(answer);
    return answer->verdict == reception::welcome ? "welcome" : answer->sentence;
  };
  CAF_CHECK_EQUAL(verdict(b, alice, "alice"), "welcome");
  CAF_CHECK(has(verdict(b, alice, "bob"), "it calls itself bob, but its certificate is for the shell alice"));
  CAF_CHECK(has(verdict(b, {.shows = authority.files_for("n")}, "alice"), "but its certificate is for n"));
  CAF_CHECK_EQUAL(verdict(b, {.shows = authority.files_for("alice")}, "alice"), "it is no node");
  CAF_CHECK(has(verdict(b, {.shows = authority.files_for_http({"alice", bearer::client})}, "alice"),
                "its certificate is for no node and no shell"));
  CAF_CHECK_EQUAL(verdict(closed, alice, "alice"), "no shell may come here");
}

CAF_TEST(shells_leave_places_for_nodes) {
  const test_authority authority;
  auto config = with(authority.credentials_for("b"));
  config.shell_came = [](const std::string&, asker) {};
  config.shell_left = [](const std::string&) {};
  config.max_shells = 2;
  host b{"b", config};
  auto enter = [&](const std::string& name) {
    auto line = std::make_unique<tls_client>(port_of(b.way->address()),
                                             tls_client::manner{.shows = authority.files_for_shell(name)});
    CAF_REQUIRE(line->shake_hands() && line->send(preamble_of(name)));
    const auto length = body_length(line->receive(preamble_head_bytes));
    CAF_REQUIRE(length);
    const auto answer = decode_greeting(line->receive(*length));
    return std::pair{std::move(line), answer->sentence};
  };
  const auto first = enter("one"), second = enter("two");
  CAF_CHECK_EQUAL(first.second + second.second, "");
  CAF_CHECK(eventually([&] { return count(b, "shell_connections") == 2; }));
  const auto third = enter("three");
  CAF_CHECK_EQUAL(third.second, "2 shells are connected already; try again later");
  CAF_CHECK_EQUAL(count(b, "tls_connections"), 0u);
  const auto again = enter("one"); // the same program: what it had is over
  CAF_CHECK_EQUAL(again.second, "");
  CAF_CHECK_EQUAL(first.first->receive(1), "");
  CAF_CHECK(eventually([&] { return count(b, "shell_connections") == 2; }));
  CAF_CHECK(answer_to(b, {.shows = authority.files_for("a")}, "a")->verdict == reception::welcome);
}

CAF_TEST(a_shells_connection_ends_once_its_authority_is_not_trusted) {
  const test_authority before, after;
  auto config = with(before.credentials_for("b"));
  config.shell_came = [](const std::string&, asker) {};
  config.shell_left = [](const std::string&) {};
  host b{"b", config};
  tls_client line{port_of(b.way->address()), {.shows = before.files_for_shell("alice")}};
  CAF_REQUIRE(line.shake_hands() && line.send(preamble_of("alice")));
  CAF_CHECK(eventually([&] { return count(b, "shell_connections") == 1; }));
  CAF_CHECK(!b.way->secure({after.credentials_for("b"), false}));
  CAF_CHECK(eventually([&] { return count(b, "shell_connections") == 0; }));
}

CAF_TEST(behind_a_proxy_each_of_its_clients_has_the_limit_of_an_address) {
  const test_authority authority;
  auto config = with(authority.credentials_for("b"));
  config.security.proxies = {*ip_prefix::parse("127.0.0.1")};
  config.handshake_timeout = 10s;
  config.max_handshakes_each = 2;
  host b{"b", config};
  std::vector<test_socket> open;
  auto call_for = [&](const std::string& client) {
    open.push_back(connect_tcp(port_of(b.way->address())));
    open.back().send("PROXY TCP4 " + client + " 192.0.2.1 4711 7101\r\n");
  };
  for (auto client : {"203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.2", "203.0.113.1"})
    call_for(client);
  CAF_CHECK_EQUAL(open.back().receive(1), ""); // the third of one address
  CAF_CHECK_EQUAL(count(b, "refused_callers"), 1u);
  call_for("203.0.113.3");
  CAF_CHECK(!eventually([&] { return count(b, "refused_callers") != 1; }, 300ms));
  tls_client bare{port_of(b.way->address()), {.shows = authority.files_for("a"), .from = "127.0.0.1"}};
  CAF_CHECK(!bare.shake_hands()); // TLS is no header
}

CAF_TEST(each_side_says_what_is_wrong_with_the_others_certificate) {
  const test_authority one, other;
  host a{"a", with(one.credentials_for("a"))}, b{"b", with(other.credentials_for("b"))};
  CAF_CHECK(has(refusal(a, b), "its certificate is not accepted here"));
  auto files = one.files_for("c");
  files.authorities = one.beside(other);
  host c{"c", with(*credentials::load(files, "c"))};
  CAF_CHECK(has(refusal(c, b), "it does not accept this side's certificate"));
}

CAF_TEST(a_refused_caller_who_has_written_more_reads_why) {
  const test_authority authority, foreign;
  host b{"b", with(authority.credentials_for("b"))};
  tls_client client{port_of(b.way->address()), {.shows = foreign.files_for("a")}};
  CAF_REQUIRE(client.shake_hands() && client.send(preamble_of("a")));
  CAF_CHECK(eventually([&] { return count(b, "failed_handshakes") == 1; }));
  std::this_thread::sleep_for(100ms);
  CAF_CHECK(!client.was_reset());
  CAF_CHECK_EQUAL(client.receive(1), "");
  CAF_CHECK(client.is_told_of_unknown_authority());
}

CAF_TEST(a_refused_caller_who_does_not_leave_is_cut_off) {
  const test_authority authority;
  auto config = with(authority.credentials_for("b"));
  auto is_cut_off = [&](duration timeout, const std::string& bytes, duration pause) {
    config.handshake_timeout = timeout;
    host b{"b", config};
    auto raw = connect_tcp(port_of(b.way->address()));
    raw.send("this is no TLS");
    return eventually(
        [&] {
          std::this_thread::sleep_for(pause);
          return raw.send_some(bytes, 5s) == 0;
        },
        5s);
  };
  CAF_CHECK(is_cut_off(400ms, "x", 20ms));
  CAF_CHECK(is_cut_off(20s, std::string(16'384, 'x'), 0ms));
}

CAF_TEST(plain_bytes_do_not_pass_where_tls_is_asked_for) {
  const test_authority authority;
  host b{"b", with(authority.credentials_for("b"))};
  for (const auto& bytes :
       {preamble_of("a"), std::string{"GET / HTTP/1.1\r\n\r\n"}, std::string(4096, '\0'), std::string(5000, '\x16'),
        std::string{"\x16\x03\x01\xff\xff", 5} + std::string(70'000, 'x')}) {
    auto raw = connect_tcp(port_of(b.way->address()));
    raw.send(bytes);
    CAF_CHECK(raw.receive(1000).size() < 20); // an alert at most
  }
  host plain{"a"};
  CAF_CHECK(has(refusal(plain, b), "no node at"));
}

CAF_TEST(tls_bytes_do_not_pass_where_there_is_no_certificate) {
  const test_authority authority;
  host b{"b"};
  CAF_CHECK(!answer_to(b, {.shows = authority.files_for("a")}, "a"));
  host a{"a", with(authority.credentials_for("a"))};
  CAF_CHECK(has(refusal(a, b), "no node at"));
}

CAF_TEST(a_caller_that_stalls_is_cut_off_wherever_it_stalls) {
  const test_authority authority;
  auto config = with(authority.credentials_for("b"));
  config.handshake_timeout = 400ms;
  host b{"b", config};
  const auto port = port_of(b.way->address());
  const std::string hello{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11};
  for (const auto& bytes : {std::string{}, hello.substr(0, 1), hello.substr(0, 5), hello}) {
    const auto begin = steady::now();
    auto raw = connect_tcp(port);
    raw.send(bytes);
    CAF_CHECK_EQUAL(raw.receive(1), "");
    CAF_CHECK(steady::now() - begin >= 300ms);
    CAF_CHECK(steady::now() - begin < 3s);
  }
  for (const auto& bytes : {std::string{}, preamble_of("a").substr(0, 4), preamble_of("a").substr(0, 30)}) {
    tls_client client{port, {.shows = authority.files_for("a")}};
    CAF_REQUIRE(client.shake_hands());
    if (!bytes.empty())
      client.send(bytes);
    const auto begin = steady::now();
    CAF_CHECK_EQUAL(client.receive(1), "");
    CAF_CHECK(steady::now() - begin < 3s);
  }
}

CAF_TEST(ten_thousand_half_open_connections_from_one_address_leave_room_for_others) {
  const auto many = std::min<uint64_t>(10'000, raise_descriptor_limit() - 500);
  const test_authority authority;
  auto config = with(authority.credentials_for("b"));
  config.handshake_timeout = 20s;
  host b{"b", config};
  const auto port = port_of(b.way->address());
  std::vector<test_socket> sockets;
  for (uint64_t i = 0; i < many; ++i)
    sockets.push_back(connect_tcp(port));
  const tls_client::manner good{.shows = authority.files_for("a"), .from = "127.0.0.2"};
  const auto begin = steady::now();
  CAF_CHECK(answer_to(b, good, "a"));
  CAF_CHECK(steady::now() - begin < 3s);
  CAF_CHECK(eventually([&] { return count(b, "refused_callers") >= many - config.max_handshakes_each; }));
  CAF_CHECK_EQUAL(count(b, "refused_callers"), many - config.max_handshakes_each);
}

CAF_TEST(a_cluster_goes_from_plain_to_tls_node_by_node) {
  const test_authority authority;
  auto tls_of = [&](const std::string& name) { return authority.credentials_for(name); };
  host a{"a"}, b{"b", with(tls_of("b"), true)};
  auto first = talk(a, b), second = talk(b, a); // plain, since a cannot do more
  CAF_CHECK_EQUAL(count(b, "plain_connections"), 2u);
  CAF_CHECK(!a.way->secure({tls_of("a"), true, {}}));
  CAF_CHECK(eventually([&] { return count(a, "certificate_ends") > 0; }));
  CAF_CHECK_EQUAL(count(a, "plain_connections"), 2u); // what stands is left alone
  auto third = talk(a, b);
  CAF_CHECK_EQUAL(count(b, "tls_connections"), 1u);
  CAF_CHECK(!a.way->secure({tls_of("a"), false, {}}));
  CAF_CHECK(eventually([&] { return count(a, "tls_connections") == 3 && count(b, "tls_connections") == 3; }));
  for (auto* moved : {&first, &second, &third}) // not one has been interrupted
    moved->check();
  CAF_CHECK_EQUAL(count(a, "plain_connections") + count(b, "plain_connections"), 0u);
  auto fourth = talk(b, a);
  CAF_CHECK_EQUAL(count(a, "tls_connections"), 4u);
}

CAF_TEST(a_cluster_goes_from_one_authority_to_the_next_node_by_node) {
  const test_authority before, after;
  auto load = [](credential_files files, const std::string& authorities, const std::string& node) {
    files.authorities = authorities;
    return *credentials::load(files, node);
  };
  host a{"a", with(before.credentials_for("a"))}, b{"b", with(before.credentials_for("b"))};
  auto first = talk(a, b), second = talk(b, a);
  const auto both = before.beside(after);
  CAF_CHECK(!b.way->secure({load(before.files_for("b"), both, "b"), false, {}}));
  CAF_CHECK(!a.way->secure({load(before.files_for("a"), both, "a"), false, {}}));
  CAF_CHECK(!a.way->secure({load(after.files_for("a"), both, "a"), false, {}})); // a new certificate, both trusted
  auto third = talk(a, b);
  CAF_CHECK(!b.way->secure({load(after.files_for("b"), both, "b"), false, {}}));
  CAF_CHECK(!b.way->secure({after.credentials_for("b"), false, {}})); // trusts the new one alone
  CAF_CHECK(!a.way->secure({after.credentials_for("a"), false, {}}));
  std::this_thread::sleep_for(500ms);
  for (auto* moved : {&first, &second, &third})
    moved->check();
  CAF_CHECK_EQUAL(count(a, "tls_connections"), 3u);
  CAF_CHECK(!answer_to(b, {.shows = before.files_for("a")}, "a"));
}

CAF_TEST(a_connection_ends_when_the_other_side_can_do_no_better) {
  const test_authority before, after;
  host a{"a", with(before.credentials_for("a"))}, b{"b", with(before.credentials_for("b"))};
  auto first = talk(a, b);
  CAF_CHECK(!b.way->secure({after.credentials_for("b"), false, {}})); // does not trust what a has
  CAF_CHECK_EQUAL(first.near.receive(1), "");
  CAF_CHECK(eventually([&] { return count(a, "tls_connections") + count(b, "tls_connections") == 0; }));
}

CAF_TEST(no_byte_is_lost_while_a_busy_connection_moves_again_and_again) {
  const test_authority one, other;
  const auto both = one.beside(other);
  for (auto delay : {0ms, 3ms}) {
    moving_pair nodes{delay};
    auto line = talk(*nodes.a, *nodes.b);
    constexpr size_t total = 48u << 20;
    size_t wrong_near = 1, wrong_far = 1;
    std::thread threads[] = {std::thread{[&] { write_pattern(line.near, total); }},
                             std::thread{[&] { write_pattern(line.far, total); }},
                             std::thread{[&] { wrong_near = first_wrong_byte(line.near, total); }},
                             std::thread{[&] { wrong_far = first_wrong_byte(line.far, total); }}};
    nodes.secure(one, both, true);
    // Each round moves the connection, at times from both sides at once. As an operator does: first it is known
    // everywhere who is trusted, then the certificates change, then the old authority goes.
    for (int i = 0; i < 6; ++i) {
      const auto &now = i % 2 == 0 ? one : other, &next = i % 2 == 0 ? other : one;
      nodes.secure(now, both);
      nodes.secure(next, both);
      nodes.secure(next, next.certificate());
      std::this_thread::sleep_for(100ms);
    }
    for (auto& thread : threads)
      thread.join();
    CAF_CHECK_EQUAL(wrong_near, 0u);
    CAF_CHECK_EQUAL(wrong_far, 0u);
    CAF_CHECK_EQUAL(count(*nodes.a, "tls_connections") + count(*nodes.b, "tls_connections"), 2u);
  }
}

CAF_TEST(rules_that_cannot_be_change_nothing) {
  const test_authority authority;
  host a{"a", with(authority.credentials_for("a"))};
  CAF_CHECK_EQUAL(code_of(a.way->secure({nullptr, false, {}})), ec::bad_config);
  CAF_CHECK_EQUAL(code_of(a.way->secure({nullptr, true, {"198.51.100.0/24"}})), ec::bad_config);
  host b{"b", with(authority.credentials_for("b"))};
  auto both = talk(b, a);
  CAF_CHECK_EQUAL(count(a, "tls_connections"), 1u);
}

CAF_TEST(a_node_with_a_certificate_may_listen_and_call_beyond_loopback) {
  const test_authority authority;
  auto config = with(authority.credentials_for("b"));
  config.listen = "0.0.0.0:0";
  host b{"b", config};
  CAF_CHECK_EQUAL(b.way->address().substr(0, 8), "0.0.0.0:");
  CAF_CHECK(code_of(b.call("192.0.2.1:7101", 200ms).error()) != ec::invalid_argument); // though nobody is there
}

CAF_TEST(ipv6_works_as_well_and_plain_callers_are_known_by_their_ipv4_address) {
  const test_authority authority;
  tunnel_config config = with(authority.credentials_for("b"), true);
  config.listen = "[::]:0";
  host b{"b", config};
  const auto port = std::to_string(port_of(b.way->address()));
  host a{"a", with(authority.credentials_for("a"))}, plain{"p"};
  auto outcome = a.call("[::1]:" + port);
  CAF_REQUIRE(outcome);
  ::close(outcome->fd);
  auto mapped = plain.call("127.0.0.1:" + port);
  CAF_REQUIRE(mapped);
  ::close(mapped->fd);
}
