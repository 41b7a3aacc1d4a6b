#define CAF_SUITE cookies
#include "tests/dns/world.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::dns;
using namespace gnomon::dns::test;

namespace {

std::vector<uint8_t> hex(std::string_view text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

cookie_secret secret(std::string_view text) {
  cookie_secret made;
  const auto bytes = hex(text);
  std::copy(bytes.begin(), bytes.end(), made.begin());
  return made;
}

std::array<uint8_t, 8> client(std::string_view text) {
  std::array<uint8_t, 8> made;
  const auto bytes = hex(text);
  std::copy(bytes.begin(), bytes.end(), made.begin());
  return made;
}

std::vector<uint8_t> bytes(const server_cookie& cookie) {
  return {cookie.begin(), cookie.end()};
}

constexpr auto first_secret = "e5e973e5a6b2a43f48e7dc849e37bfcf";

} // namespace

// RFC 9018, appendix A.1 and A.2.
CAF_TEST(server_cookies_are_those_of_rfc_9018_for_ipv4) {
  const cookie_jar jar(secret(first_secret));
  const auto address = *gnomon::ip_address::parse("198.51.100.100");
  CAF_CHECK(bytes(jar.make(client("2464c4abcf10c957"), address, 1559731985))
            == hex("010000005cf79f111f8130c3eee29480"));
  CAF_CHECK(bytes(jar.make(client("2464c4abcf10c957"), address, 1559734385))
            == hex("010000005cf7a871d4a564a1442aca77"));
}

// RFC 9018, appendix A.3: reserved bytes are hashed as they came.
CAF_TEST(reserved_bytes_of_other_servers_are_taken_as_they_are) {
  const cookie_jar jar(secret(first_secret));
  const auto address = *gnomon::ip_address::parse("203.0.113.203");
  const auto given = hex("01abcdef5cf78f71a314227b6679ebf5");
  CAF_CHECK(jar.valid({.client = client("fc93fc62807ddb86"), .server = given}, address, 1559728500));
  CAF_CHECK(bytes(jar.make(client("fc93fc62807ddb86"), address, 1559734700))
            == hex("010000005cf7a9acf73a7810aca2381e"));
}

// RFC 9018, appendix A.4.
CAF_TEST(a_new_secret_takes_the_cookies_of_the_one_before) {
  cookie_jar jar(secret("dd3bdf9344b678b185a6f5cb60fca715"));
  const auto address = *gnomon::ip_address::parse("2001:db8:220:1:59de:d0f4:8769:82b8");
  const auto given = hex("010000005cf7c57926556bd0934c72f8");
  CAF_CHECK(bytes(jar.make(client("22681ab97d52c298"), address, 1559741817)) == given);
  jar.rotate(secret("445536bcd2513298075a5d379663c962"));
  CAF_CHECK(jar.valid({.client = client("22681ab97d52c298"), .server = given}, address, 1559741961));
  CAF_CHECK(bytes(jar.make(client("22681ab97d52c298"), address, 1559741961))
            == hex("010000005cf7c609a6bb79d16625507a"));
  jar.rotate();
  CAF_CHECK(!jar.valid({.client = client("22681ab97d52c298"), .server = given}, address, 1559741961));
}

CAF_TEST(a_cookie_is_good_for_its_client_and_its_time_only) {
  const cookie_jar jar;
  const auto address = *gnomon::ip_address::parse("192.0.2.1");
  const auto other = *gnomon::ip_address::parse("192.0.2.2");
  const uint32_t now = 1'800'000'000;
  auto made = jar.make(client("0102030405060708"), address, now);
  const cookie_option cookie{.client = client("0102030405060708"), .server = made};
  CAF_CHECK(jar.valid(cookie, address, now));
  CAF_CHECK(jar.valid(cookie, address, now + 3600));
  CAF_CHECK(jar.valid(cookie, address, now - 300));
  CAF_CHECK(!jar.valid(cookie, address, now + 3601));
  CAF_CHECK(!jar.valid(cookie, address, now - 301));
  CAF_CHECK(!jar.valid(cookie, other, now));
  CAF_CHECK(!jar.valid({.client = client("0102030405060709"), .server = made}, address, now));
  for (auto& byte : made) {
    byte ^= 1;
    CAF_CHECK(!jar.valid({.client = cookie.client, .server = made}, address, now));
    byte ^= 1;
  }
  CAF_CHECK(!jar.valid({.client = cookie.client, .server = {}}, address, now));
  CAF_CHECK(!jar.valid({.client = cookie.client, .server = bytes_view(made).first(8)}, address, now));
}

CAF_TEST(a_client_that_sends_the_cookie_back_gets_longer_answers) {
  world all;
  all.put("item", set_of(world::eu) | set_of(world::us) | set_of(world::ap));
  const question without{.name = "big.g.example", .qtype = type::txt};
  CAF_CHECK(ldns_pkt_tc(all.ask(without).get()));
  const message client_part{1, 2, 3, 4, 5, 6, 7, 8};
  const auto first = all.ask("big.g.example", type::txt, option_bytes(option::cookie, client_part));
  CAF_CHECK(ldns_pkt_tc(first.get()));
  const auto both = option_of(first, option::cookie);
  CAF_REQUIRE(both);
  CAF_CHECK_EQUAL(both->size(), 24u);
  const auto second = all.ask("big.g.example", type::txt, option_bytes(option::cookie, *both));
  CAF_CHECK(!ldns_pkt_tc(second.get()));
  CAF_CHECK_EQUAL(answers(second).size(), 1u);
  CAF_CHECK_EQUAL(all.count.cookies.get(), 1u);
}
