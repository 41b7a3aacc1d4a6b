#define CAF_SUITE ip_address
#include "runtime/base/ip_address.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace gnomon;

namespace {

std::string read_back(std::string_view text) {
  auto address = ip_address::parse(text);
  return address ? to_string(*address) : "none";
}

std::string prefix_of(std::string_view text) {
  auto prefix = ip_prefix::parse(text);
  return prefix ? to_string(*prefix) : sentence_of(prefix.error());
}

ip_address random_address(std::mt19937& random, bool v4) {
  std::array<uint8_t, 16> bytes{};
  for (auto& b : bytes)
    b = static_cast<uint8_t>(random());
  return v4 ? ip_address{std::array<uint8_t, 4>{bytes[0], bytes[1], bytes[2], bytes[3]}} : ip_address{bytes};
}

} // namespace

CAF_TEST(addresses_read_back_in_their_shortest_form) {
  CAF_CHECK_EQUAL(read_back("192.0.2.1"), "192.0.2.1");
  CAF_CHECK_EQUAL(read_back("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  CAF_CHECK_EQUAL(read_back("::"), "::");
  CAF_CHECK_EQUAL(to_string(ip_address{}), "0.0.0.0");
}

CAF_TEST(an_ipv4_address_inside_of_ipv6_is_that_address) {
  CAF_CHECK_EQUAL(read_back("::ffff:192.0.2.1"), "192.0.2.1");
  CAF_CHECK(ip_address::parse("::ffff:c000:201") == ip_address::parse("192.0.2.1"));
  CAF_CHECK_EQUAL(read_back("::192.0.2.1"), "::192.0.2.1"); // the old, compatible form is another address
}

CAF_TEST(what_is_no_address_is_refused) {
  for (auto bad : {"", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80",
                   "[::1]", ":::", "fe80::1%eth0", "12345::", "localhost", "0x7f.1", "1.2.3.4/8", "::ffff:1.2.3.4.5"})
    CAF_CHECK_EQUAL(read_back(bad), "none");
  CAF_CHECK_EQUAL(read_back(std::string_view{"1.2.3.4\0", 8}), "none");
  CAF_CHECK_EQUAL(read_back(std::string(100'000, '1')), "none");
}

CAF_TEST(prefixes_read_back_and_bad_ones_say_why) {
  CAF_CHECK_EQUAL(prefix_of("10.0.0.0/8"), "10.0.0.0/8");
  CAF_CHECK_EQUAL(prefix_of("0.0.0.0/0"), "0.0.0.0/0");
  CAF_CHECK_EQUAL(prefix_of("192.0.2.7"), "192.0.2.7/32");
  CAF_CHECK_EQUAL(prefix_of("2001:db8::/32"), "2001:db8::/32");
  CAF_CHECK_EQUAL(prefix_of("::ffff:10.0.0.0/104"), "10.0.0.0/8");
  CAF_CHECK(prefix_of("10.0.0.1/8").find("the network is 10.0.0.0/8") != std::string::npos);
  CAF_CHECK(prefix_of("10.0.0.0/33").find("from 0 to 32") != std::string::npos);
  CAF_CHECK(prefix_of("::ffff:10.0.0.0/8").find("from 96 to 128") != std::string::npos);
  for (auto bad :
       {"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/-0", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/8/8", "/8", "a/8"})
    CAF_CHECK(prefix_of(bad).find("is no network such as") != std::string::npos);
}

CAF_TEST(a_prefix_holds_exactly_the_addresses_that_share_its_bits) {
  std::mt19937 random{7};
  for (int i = 0; i < 20'000; ++i) {
    const auto v4 = i % 2 == 0;
    const auto a = random_address(random, v4), b = random_address(random, v4);
    const auto bits = static_cast<int>(random() % static_cast<unsigned>(a.width() + 1));
    const auto prefix = ip_prefix::around(a, bits);
    CAF_REQUIRE(prefix.contains(a));
    CAF_REQUIRE_EQUAL(prefix.contains(b), masked(a, bits) == masked(b, bits));
    CAF_REQUIRE_EQUAL(prefix.contains(b), common_bits(a, b) >= bits);
    CAF_REQUIRE(*ip_prefix::parse(to_string(prefix)) == prefix);
    CAF_REQUIRE(!prefix.contains(random_address(random, !v4)));
  }
}

CAF_TEST(a_network_contains_the_networks_inside_of_it) {
  const auto outer = *ip_prefix::parse("10.128.0.0/9");
  CAF_CHECK(outer.contains(*ip_prefix::parse("10.200.0.0/16")));
  CAF_CHECK(outer.contains(outer));
  CAF_CHECK(!outer.contains(*ip_prefix::parse("10.0.0.0/8")));
  CAF_CHECK(!outer.contains(*ip_prefix::parse("10.127.255.255")));
  CAF_CHECK(!ip_prefix::parse("::/0")->contains(outer));
}
