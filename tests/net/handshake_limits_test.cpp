#define CAF_SUITE handshake_limits
#include "runtime/net/handshake_limits.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;

namespace {

const handshake_limits::time_point start{1h};

} // namespace

CAF_TEST(one_address_takes_its_share_and_others_the_rest) {
  handshake_limits limits{5, 3};
  const auto a = make_address("192.0.2.1"), b = make_address("192.0.2.2"), c = make_address("192.0.2.3");
  for (int i = 0; i < 3; ++i)
    CAF_CHECK(limits.enter(a, start));
  CAF_CHECK(!limits.enter(a, start));
  CAF_CHECK(limits.enter(b, start));
  CAF_CHECK(limits.enter(c, start));
  CAF_CHECK(!limits.enter(c, start)); // all together are five
  limits.leave(a, start);
  CAF_CHECK(limits.enter(c, start));
  CAF_CHECK_EQUAL(limits.under_way(), 5u);
}

CAF_TEST(whoever_failed_counts_for_a_while) {
  handshake_limits limits{10, 1};
  const auto a = make_address("192.0.2.1");
  CAF_CHECK(limits.enter(a, start));
  limits.leave(a, start + 1s);
  CAF_CHECK(!limits.enter(a, start + 999ms));
  CAF_CHECK(limits.enter(a, start + 1s));
}

CAF_TEST(a_proxy_speaks_for_many_and_yet_not_for_more_than_all) {
  handshake_limits limits{3, 1};
  const auto proxy = make_address("192.0.2.1");
  for (int i = 0; i < 3; ++i)
    CAF_CHECK(limits.enter_for_many(proxy, start));
  CAF_CHECK(!limits.enter_for_many(proxy, start));
  limits.leave(proxy, start);
  CAF_CHECK(limits.enter(make_address("203.0.113.9"), start)); // one of its clients
}

CAF_TEST(a_network_of_ipv6_addresses_is_one_place_and_a_mapped_address_is_its_ipv4_one) {
  handshake_limits limits{10, 1};
  CAF_CHECK(limits.enter(make_address("2001:db8:1:2::3"), start));
  CAF_CHECK(!limits.enter(make_address("2001:db8:1:2:ffff::4"), start));
  CAF_CHECK(limits.enter(make_address("2001:db8:1:3::3"), start));
  CAF_CHECK(limits.enter(make_address("192.0.2.1"), start));
  CAF_CHECK(!limits.enter(make_address("::ffff:192.0.2.1"), start));
  CAF_CHECK(plain_form(make_address("::ffff:127.0.0.1")).is_loopback());
}
