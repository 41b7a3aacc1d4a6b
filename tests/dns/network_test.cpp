#define CAF_SUITE network
#include "runtime/dns/network.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::dns;

CAF_TEST(networks_read_back_as_they_were_written) {
  for (auto text : {"192.0.2.0/24", "192.0.2.1", "0.0.0.0/0", "2001:db8::/32", "::/0", "2001:db8::1", "10.128.0.0/9"}) {
    const auto parsed = parse_network(text);
    CAF_REQUIRE(parsed);
    CAF_CHECK_EQUAL(to_string(*parsed), text);
  }
}

CAF_TEST(other_text_is_no_network) {
  for (auto bad : {"", "a", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "2001:db8::/129", "::1/64",
                   "192.0.2.0 /24", "192.0.2/24"})
    CAF_CHECK(!parse_network(bad));
}

CAF_TEST(a_network_contains_what_begins_with_its_bits) {
  const auto outer = *parse_network("10.128.0.0/9");
  CAF_CHECK(contains(outer, *parse_network("10.200.0.0/16")));
  CAF_CHECK(contains(outer, outer));
  CAF_CHECK(!contains(outer, *parse_network("10.0.0.0/8")));
  CAF_CHECK(!contains(outer, *parse_network("10.127.255.255")));
  CAF_CHECK(!contains(*parse_network("::/0"), outer));
}
