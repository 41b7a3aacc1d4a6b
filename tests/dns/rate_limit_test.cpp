#define CAF_SUITE rate_limit
#include "runtime/dns/rate_limit.hpp"

#include "tests/dns/world.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::dns;
using namespace gnomon::dns::test;

namespace {

constexpr uint64_t second_us = 1'000'000;

struct verdicts {
  int sent = 0;
  int truncated = 0;
  int dropped = 0;
};

verdicts ask(rate_limit& limit, const std::string& client, int times, uint64_t now_us) {
  verdicts got;
  for (int i = 0; i < times; ++i) {
    const auto judged = limit.ask(*gnomon::ip_address::parse(client), now_us);
    ++(judged == verdict::send ? got.sent : judged == verdict::truncate ? got.truncated : got.dropped);
  }
  return got;
}

} // namespace

CAF_TEST(a_prefix_gets_its_burst_and_then_its_rate) {
  rate_limit limit({.answers_per_second = 10, .burst_seconds = 2, .slip = 2});
  auto got = ask(limit, "192.0.2.1", 100, 5 * second_us);
  CAF_CHECK_EQUAL(got.sent, 21);
  CAF_CHECK_EQUAL(got.truncated + got.dropped, 79);
  CAF_CHECK_EQUAL(got.truncated, 40);
  CAF_CHECK_EQUAL(ask(limit, "192.0.2.200", 10, 5 * second_us).sent, 0);
  CAF_CHECK_EQUAL(ask(limit, "192.0.3.1", 10, 5 * second_us).sent, 10);
  CAF_CHECK_EQUAL(ask(limit, "192.0.2.1", 100, 6 * second_us).sent, 10);
  CAF_CHECK_EQUAL(ask(limit, "192.0.2.1", 100, 60 * second_us).sent, 21);
}

CAF_TEST(ipv6_counts_by_56_bits) {
  rate_limit limit({.answers_per_second = 1, .burst_seconds = 1, .slip = 0});
  CAF_CHECK_EQUAL(ask(limit, "2001:db8:1:200::1", 10, second_us).sent, 2);
  CAF_CHECK_EQUAL(ask(limit, "2001:db8:1:2ff:ffff::1", 10, second_us).sent, 0);
  CAF_CHECK_EQUAL(ask(limit, "2001:db8:1:300::1", 10, second_us).sent, 2);
  CAF_CHECK_EQUAL(ask(limit, "2001:db8:1:300::1", 10, second_us).dropped, 10);
}

CAF_TEST(no_rate_is_no_limit) {
  rate_limit limit({.answers_per_second = 0});
  CAF_CHECK_EQUAL(ask(limit, "192.0.2.1", 1000, 0).sent, 1000);
}

CAF_TEST(many_prefixes_do_not_free_a_busy_one_when_there_is_room) {
  rate_limit limit({.answers_per_second = 5, .burst_seconds = 1, .slip = 0, .slots = 1 << 14});
  ask(limit, "192.0.2.1", 100, second_us);
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 256; ++b)
      ask(limit, "10." + std::to_string(a) + '.' + std::to_string(b) + ".1", 1, second_us);
  CAF_CHECK_EQUAL(ask(limit, "192.0.2.1", 100, second_us).sent, 0);
}

CAF_TEST(who_is_over_the_limit_is_told_to_come_by_tcp_or_with_a_cookie) {
  world all;
  all.config.rate = {.answers_per_second = 2, .burst_seconds = 1, .slip = 1};
  const auto asked = bytes_of({.name = "g.example"});
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(answers(parse(all.answer(asked))).size(), 1u);
  const auto limited = parse(all.answer(asked));
  CAF_CHECK(ldns_pkt_tc(limited.get()));
  CAF_CHECK(answers(limited).empty());
  CAF_CHECK_EQUAL(all.count.limited.get(), 1u);
  CAF_CHECK(all.answer({0x12, 0x34, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0}).empty());
  all.from.tcp = true;
  CAF_CHECK_EQUAL(answers(parse(all.answer(asked))).size(), 1u);
  all.from.tcp = false;
  const auto jar = all.server().cookies().make({1, 2, 3, 4, 5, 6, 7, 8}, all.from.address, all.now);
  const auto cookie = option_bytes(option::cookie, message{1, 2, 3, 4, 5, 6, 7, 8} + message(jar.begin(), jar.end()));
  CAF_CHECK_EQUAL(answers(all.ask("g.example", type::a, cookie)).size(), 1u);
}
