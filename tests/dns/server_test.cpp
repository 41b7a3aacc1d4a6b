#define CAF_SUITE server
#include "runtime/dns/server.hpp"

#include "gnomon/error.hpp"
#include "runtime/base/log.hpp"
#include "tests/dns/world.hpp"

#include <caf/test/dsl.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>

using namespace gnomon;
using namespace gnomon::dns;
using namespace gnomon::dns::test;

namespace {

constexpr int patience_ms = 10'000;

descriptor connect_to(const host_port& where, int kind) {
  const auto v6 = where.host.find(':') != std::string::npos;
  sockaddr_storage storage{};
  auto& v4_address = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6_address = reinterpret_cast<sockaddr_in6&>(storage);
  storage.ss_family = v6 ? AF_INET6 : AF_INET;
  (v6 ? v6_address.sin6_port : v4_address.sin_port) = htons(where.port);
  inet_pton(storage.ss_family, where.host.c_str(),
            v6 ? static_cast<void*>(&v6_address.sin6_addr) : static_cast<void*>(&v4_address.sin_addr));
  descriptor made(socket(storage.ss_family, kind | SOCK_CLOEXEC, 0));
  if (connect(made.get(), reinterpret_cast<sockaddr*>(&storage), v6 ? sizeof v6_address : sizeof v4_address) != 0)
    return {};
  return made;
}

bool readable(const descriptor& socket) {
  pollfd wait{.fd = socket.get(), .events = POLLIN, .revents = 0};
  return poll(&wait, 1, patience_ms) == 1;
}

void say(const descriptor& socket, const message& bytes) {
  send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

message framed(const message& bytes) {
  message frame;
  append_u16(frame, bytes.size());
  return frame + bytes;
}

message take(const descriptor& socket, size_t size) {
  message bytes(size);
  size_t at = 0;
  while (at < size && readable(socket)) {
    const auto count = recv(socket.get(), &bytes[at], size - at, 0);
    if (count <= 0)
      break;
    at += static_cast<size_t>(count);
  }
  bytes.resize(at);
  return bytes;
}

// The next answer over TCP; null when the connection ended.
packet next_answer(const descriptor& socket) {
  const auto size = take(socket, 2);
  return size.size() < 2 ? nullptr : parse(take(socket, static_cast<size_t>(size[0]) << 8 | size[1]));
}

bool is_closed(const descriptor& socket) {
  return take(socket, 1).empty();
}

packet ask_udp(const host_port& where, const question& asked) {
  const auto socket = connect_to(where, SOCK_DGRAM);
  say(socket, bytes_of(asked));
  if (!readable(socket))
    return nullptr;
  message bytes(4096);
  const auto count = recv(socket.get(), bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return parse(bytes);
}

std::string first_answer(const packet& from) {
  const auto all = answers(from);
  return all.empty() ? "" : all.front();
}

struct fixture : world {
  fixture() {
    log::start("", "warn");
    put("item", set_of(eu) | set_of(us));
    settings.listen = {{"127.0.0.1", 0}};
    settings.answers.rate.answers_per_second = 0;
  }
  dns_server& start() {
    std::vector<zone> zones;
    zones.push_back(read_zone("g.example", zone_text));
    running = std::make_unique<dns_server>(settings, std::move(zones), items, regions,
                                           ranked_prefixes({}, order({eu, us, ap})));
    running->start();
    return *running;
  }
  host_port at() const {
    return running->addresses().front();
  }
  server_config settings;
  std::unique_ptr<dns_server> running;
  const question asked{.name = host("item")};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(server_tests, fixture)

CAF_TEST(udp_and_tcp_answer_at_one_port) {
  settings.threads = 2;
  start();
  for (int i = 0; i < 20; ++i) {
    const auto found = ask_udp(at(), asked);
    CAF_REQUIRE(found);
    CAF_CHECK_EQUAL(first_answer(found), "203.0.113.1");
  }
  const auto tcp = connect_to(at(), SOCK_STREAM);
  say(tcp, framed(bytes_of(asked)));
  const auto found = next_answer(tcp);
  CAF_REQUIRE(found);
  CAF_CHECK_EQUAL(first_answer(found), "203.0.113.1");
  const auto sums = running->counted();
  CAF_CHECK_EQUAL(sums.tcp, 1u);
  CAF_CHECK_EQUAL(sums.queries[static_cast<size_t>(counted_type::a)], 21u);
  CAF_CHECK_EQUAL(sums.answers[rcode::noerror], 21u);
}

CAF_TEST(a_region_that_goes_down_is_gone_from_the_next_answer) {
  start();
  CAF_CHECK_EQUAL(first_answer(ask_udp(at(), asked)), "203.0.113.1");
  set_live(eu, false);
  CAF_CHECK_EQUAL(first_answer(ask_udp(at(), asked)), "203.0.113.2");
  items.erase(label_bytes_of("item"));
  CAF_CHECK_EQUAL(code_of(ask_udp(at(), asked)), rcode::nxdomain);
}

CAF_TEST(queries_sent_together_are_answered_in_their_order) {
  start();
  const auto tcp = connect_to(at(), SOCK_STREAM);
  message all;
  for (int i = 0; i < 500; ++i) {
    auto bytes = bytes_of(asked);
    bytes[0] = static_cast<uint8_t>(i >> 8);
    bytes[1] = static_cast<uint8_t>(i);
    all = all + framed(bytes);
  }
  say(tcp, all);
  for (int i = 0; i < 500; ++i) {
    const auto found = next_answer(tcp);
    CAF_REQUIRE(found);
    CAF_REQUIRE_EQUAL(static_cast<int>(ldns_pkt_id(found.get())), i);
  }
}

CAF_TEST(a_query_may_come_byte_by_byte) {
  start();
  const auto tcp = connect_to(at(), SOCK_STREAM);
  for (const auto byte : framed(bytes_of(asked)))
    say(tcp, {byte});
  CAF_CHECK(next_answer(tcp));
}

CAF_TEST(long_answers_come_over_tcp) {
  start();
  const question big{.name = "big.g.example", .qtype = type::txt};
  CAF_CHECK(ldns_pkt_tc(ask_udp(at(), big).get()));
  const auto tcp = connect_to(at(), SOCK_STREAM);
  say(tcp, framed(bytes_of(big)));
  CAF_CHECK_EQUAL(answers(next_answer(tcp)).size(), 1u);
}

CAF_TEST(who_sends_no_queries_is_cut_off) {
  start();
  for (const auto& bad :
       {message{0, 0}, message{0, 5, 1, 2, 3, 4, 5}, message{0xff, 0xff}, framed(message(40, 0xff))}) {
    const auto tcp = connect_to(at(), SOCK_STREAM);
    say(tcp, bad);
    CAF_CHECK(is_closed(tcp));
  }
  CAF_CHECK(ask_udp(at(), asked));
}

CAF_TEST(an_idle_connection_ends) {
  settings.tcp.idle = std::chrono::milliseconds(300);
  start();
  const auto idle = connect_to(at(), SOCK_STREAM);
  const auto half = connect_to(at(), SOCK_STREAM);
  say(half, {0, 40, 1, 2, 3});
  CAF_CHECK(is_closed(idle));
  CAF_CHECK(is_closed(half));
}

CAF_TEST(the_connection_that_is_idle_for_longest_makes_room) {
  settings.tcp.connections = 3;
  start();
  std::vector<descriptor> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(connect_to(at(), SOCK_STREAM));
    say(clients.back(), framed(bytes_of(asked)));
    CAF_CHECK(next_answer(clients.back()));
  }
  CAF_CHECK(is_closed(clients.front()));
  say(clients[1], framed(bytes_of(asked)));
  CAF_CHECK(next_answer(clients[1]));
}

CAF_TEST(one_address_has_only_so_many_connections) {
  settings.tcp.connections_per_client = 2;
  start();
  const auto first = connect_to(at(), SOCK_STREAM);
  const auto second = connect_to(at(), SOCK_STREAM);
  for (const auto* each : {&first, &second}) {
    say(*each, framed(bytes_of(asked)));
    CAF_CHECK(next_answer(*each));
  }
  CAF_CHECK(is_closed(connect_to(at(), SOCK_STREAM)));
}

CAF_TEST(a_client_that_does_not_read_does_not_hold_up_others) {
  start();
  const auto deaf = connect_to(at(), SOCK_STREAM);
  const timeval wait{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(deaf.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  const auto one = framed(bytes_of({.name = "big.g.example", .qtype = type::txt}));
  message many;
  for (int i = 0; i < 1000; ++i)
    many = many + one;
  ssize_t sent = 0;
  for (int i = 0; i < 2000 && sent >= 0; ++i)
    sent = send(deaf.get(), many.data(), many.size(), MSG_NOSIGNAL);
  CAF_CHECK(sent < 0); // the server has stopped reading
  const auto other = connect_to(at(), SOCK_STREAM);
  say(other, framed(bytes_of(asked)));
  CAF_CHECK(next_answer(other));
}

CAF_TEST(a_second_server_at_the_port_is_refused_and_says_so) {
  start();
  server_config same = settings;
  same.listen = {at()};
  std::vector<zone> zones;
  zones.push_back(read_zone("g.example", zone_text));
  dns_server second(same, std::move(zones), items, regions, ranked_prefixes({}, order({eu})));
  try {
    second.start();
    CAF_FAIL("started");
  } catch (const failure& error) {
    CAF_CHECK(error.code() == ec::unavailable);
    CAF_CHECK(std::string(error.what()).find("another DNS server") != std::string::npos);
  }
  CAF_CHECK(second.addresses().empty());
  CAF_CHECK(ask_udp(at(), asked));
}

CAF_TEST(a_host_name_is_no_address) {
  settings.listen = {{"localhost", 0}};
  try {
    start();
    CAF_FAIL("started");
  } catch (const failure& error) {
    CAF_CHECK(error.code() == ec::bad_config);
  }
}

CAF_TEST(a_server_stops_with_clients_and_starts_again) {
  auto& server = start();
  const auto where = at();
  const auto client = connect_to(where, SOCK_STREAM);
  server.stop();
  CAF_CHECK(is_closed(client));
  CAF_CHECK_EQUAL(connect_to(where, SOCK_STREAM).get(), -1);
  server.stop();
  server.start();
  CAF_CHECK(ask_udp(at(), asked));
}

CAF_TEST(an_answer_comes_from_the_address_that_was_asked) {
  settings.listen = {{"0.0.0.0", 0}};
  start();
  for (auto host : {"127.0.0.1", "127.0.0.2", "127.9.9.9"})
    CAF_CHECK(ask_udp({host, at().port}, asked));
}

CAF_TEST(several_addresses_of_both_families_answer) {
  if (connect_to({"::1", 9}, SOCK_DGRAM).get() < 0) {
    CAF_MESSAGE("skipped: this machine has no IPv6");
    return;
  }
  settings.listen = {{"127.0.0.1", 0}, {"::1", 0}, {"::", 0}};
  start();
  for (const auto& where : running->addresses()) {
    const host_port target{where.host == "::" ? "::1" : where.host, where.port};
    CAF_CHECK(ask_udp(target, asked));
    const auto tcp = connect_to(target, SOCK_STREAM);
    say(tcp, framed(bytes_of(asked)));
    CAF_CHECK(next_answer(tcp));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
