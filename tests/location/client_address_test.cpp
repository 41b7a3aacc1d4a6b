#define CAF_SUITE client_address
#include "runtime/location/client_address.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace gnomon;

namespace {

const std::vector<ip_prefix> proxies{*ip_prefix::parse("10.0.0.0/8"), *ip_prefix::parse("2001:db8:f::/48")};

std::string client(std::string_view peer, forwarding_headers headers) {
  return to_string(client_address(*ip_address::parse(peer), headers, proxies));
}
std::string listed(std::string_view header) {
  return client("10.0.0.1", {.x_forwarded_for = header, .forwarded = {}});
}
std::string forwarded(std::string_view header) {
  return client("10.0.0.1", {.x_forwarded_for = {}, .forwarded = header});
}

} // namespace

CAF_TEST(headers_count_only_when_a_proxy_sends_them) {
  CAF_CHECK_EQUAL(client("192.0.2.1", {"198.51.100.1", "for=198.51.100.1"}), "192.0.2.1");
  CAF_CHECK_EQUAL(client("10.0.0.1", {"198.51.100.1", ""}), "198.51.100.1");
  CAF_CHECK_EQUAL(client("2001:db8:f::1", {"", "for=198.51.100.1"}), "198.51.100.1");
  CAF_CHECK_EQUAL(client("10.0.0.1", {}), "10.0.0.1");
}

CAF_TEST(the_walk_goes_from_the_right_through_proxies_only) {
  CAF_CHECK_EQUAL(listed("1.1.1.1, 198.51.100.1"), "198.51.100.1");
  CAF_CHECK_EQUAL(listed("1.1.1.1, 198.51.100.1, 10.9.9.9"), "198.51.100.1");
  CAF_CHECK_EQUAL(listed("10.0.0.2,10.0.0.3"), "10.0.0.2");
  CAF_CHECK_EQUAL(forwarded("for=1.1.1.1, for=198.51.100.1;proto=https;by=10.0.0.2, for=10.0.0.2"), "198.51.100.1");
  CAF_CHECK_EQUAL(listed("198.51.100.1, , "), "198.51.100.1"); // empty entries mean nothing
}

CAF_TEST(nodes_are_read_in_every_form) {
  for (auto form :
       {"[2001:db8::7]", "[2001:db8::7]:4711", "2001:db8::7", "\"[2001:db8::7]:4711\"", "[2001:db8::7]:_port"})
    CAF_CHECK_EQUAL(listed(form), "2001:db8::7");
  CAF_CHECK_EQUAL(listed("198.51.100.1:80"), "198.51.100.1");
  CAF_CHECK_EQUAL(forwarded("For=\"[2001:db8::7]:4711\""), "2001:db8::7");
  CAF_CHECK_EQUAL(forwarded("proto=http;FOR=198.51.100.1 ; by=_x"), "198.51.100.1");
  CAF_CHECK_EQUAL(forwarded("for=\"198.51.100.1:80\";host=\"a,b;c\""), "198.51.100.1");
  CAF_CHECK_EQUAL(forwarded("for=\"198.5\\1.100.1\""), "198.51.100.1");
  CAF_CHECK_EQUAL(listed("::ffff:198.51.100.1"), "198.51.100.1");
}

CAF_TEST(an_entry_without_an_address_ends_the_walk_at_the_nearest_known_one) {
  for (auto hidden : {"unknown", "_hidden", "1.1.1.1, unknown", "1.1.1.1, _x, 10.0.0.2, 10.0.0.1", "1.1.1.1, [::1",
                      "a:b", "1.1.1.1, 1.2.3.4:x", "1.1.1.1, 1.2.3.4.5", "1.1.1.1, [1.2.3.4]x"})
    CAF_CHECK_EQUAL(listed(hidden).substr(0, 5), "10.0.");
  CAF_CHECK_EQUAL(forwarded("for=1.1.1.1, for=unknown"), "10.0.0.1");
  CAF_CHECK_EQUAL(forwarded("for=1.1.1.1, by=10.0.0.2"), "10.0.0.1");
  CAF_CHECK_EQUAL(forwarded("for=1.1.1.1;for=2.2.2.2"), "10.0.0.1");
  CAF_CHECK_EQUAL(forwarded("for=1.1.1.1, for=_gazonk, for=10.0.0.9"), "10.0.0.9");
}

CAF_TEST(headers_that_disagree_are_not_believed) {
  CAF_CHECK_EQUAL(client("10.0.0.1", {"198.51.100.1", "for=198.51.100.1"}), "198.51.100.1");
  CAF_CHECK_EQUAL(client("10.0.0.1", {"198.51.100.1", "for=1.1.1.1"}), "10.0.0.1");
  CAF_CHECK_EQUAL(client("10.0.0.1", {"1.1.1.1", "for=unknown"}), "10.0.0.1");
}

CAF_TEST(whatever_a_client_writes_the_proxy_has_the_last_word) {
  const std::vector<std::string> appended{"for=198.51.100.1", "for=\"198.51.100.1:80\"",
                                          "for=\"[2001:db8::7]:4711\";proto=https", "for=\"[2001:db8::7]\";by=\"_x\""};
  const std::vector<std::string> pieces{"for=9.9.9.9", ";", ",", "\"",  "\\", "x=", "for=\"", "\"[9::9]\"",  " ",
                                        "for=\"[",     "=", "]", "by=", "\t", "a",  "\xff",   "for=10.0.0.9"};
  std::mt19937 random{13};
  for (int round = 0; round < 50'000; ++round) {
    std::string header;
    for (auto count = random() % 12; count > 0; --count)
      header += pieces[random() % pieces.size()];
    const auto answer = forwarded(header + ", " + appended[random() % appended.size()]);
    CAF_REQUIRE(answer == "198.51.100.1" || answer == "2001:db8::7" || answer == "10.0.0.1");
  }
}

CAF_TEST(hostile_headers_never_fail) {
  std::mt19937 random{17};
  for (int round = 0; round < 20'000; ++round) {
    std::string header(random() % 64, '\0');
    for (auto& c : header)
      c = random() % 2 == 0 ? static_cast<char>(random()) : "\"\\;,=:[] for"[random() % 13];
    CAF_REQUIRE(!listed(header).empty() && !forwarded(header).empty());
  }
  std::string chain;
  for (int i = 0; i < 100'000; ++i)
    chain += "10.0.0.2,";
  CAF_CHECK_EQUAL(listed("1.1.1.1," + chain), "10.0.0.2");
  CAF_CHECK_EQUAL(forwarded(std::string(1'000'000, '"')), "10.0.0.1");
  CAF_CHECK_EQUAL(listed(std::string(1'000'000, ',')), "10.0.0.1");
}
