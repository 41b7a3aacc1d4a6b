#define CAF_SUITE client_places
#include "runtime/gateway/client_places.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::http;

namespace {

ip_address at(const char* text) {
  return *ip_address::parse(text);
}

} // namespace

CAF_TEST(a_client_has_its_places_and_a_few_more_to_be_told_that_it_has_too_many) {
  client_places all{2, {}};
  std::vector<client_places::place> held;
  for (auto full : {false, false, true}) {
    auto entered = all.enter(at("192.0.2.1"), 1);
    CAF_REQUIRE(entered.held != nullptr);
    CAF_CHECK_EQUAL(entered.full, full);
    held.push_back(std::move(entered.held));
  }
  CAF_CHECK(all.enter(at("192.0.2.1"), 1).held == nullptr);
  CAF_CHECK(!all.enter(at("192.0.2.2"), 1).full);
  held.pop_back();
  held.pop_back();
  CAF_CHECK(!all.enter(at("192.0.2.1"), 1).full);
}

CAF_TEST(the_addresses_of_an_ipv6_network_are_one_client) {
  client_places all{1, {}};
  const auto first = all.enter(at("2001:db8::1"), 1);
  CAF_CHECK(all.enter(at("2001:db8::ffff:1"), 1).full);
  CAF_CHECK(!all.enter(at("2001:db8:0:1::1"), 1).full);
}

CAF_TEST(proxies_speak_for_many) {
  client_places all{1, {*ip_prefix::parse("10.0.0.0/8")}};
  std::vector<client_places::place> held;
  for (auto i = 0; i < 100; ++i) {
    auto entered = all.enter(at("10.1.2.3"), 0);
    CAF_REQUIRE(entered.held != nullptr && !entered.full);
    held.push_back(std::move(entered.held));
  }
}
