#define CAF_SUITE ranked_prefixes
#include "tests/dns/world.hpp"

#include <caf/test/dsl.hpp>

#include <map>
#include <random>

using namespace gnomon;
using namespace gnomon::dns;
using namespace gnomon::dns::test;

namespace {

region_order order_number(unsigned n) {
  return order(
      {static_cast<region_id>(n % 3), static_cast<region_id>((n + 1) % 3), static_cast<region_id>((n + 2) % 3)});
}

ip_address address_of(bool v4, const std::array<uint8_t, 16>& bytes) {
  return v4 ? ip_address{std::array<uint8_t, 4>{bytes[0], bytes[1], bytes[2], bytes[3]}} : ip_address{bytes};
}

ip_prefix random_network(std::mt19937& random, bool v4) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < (v4 ? 4u : 16u); ++i)
    bytes[i] = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 2 * 255);
  return ip_prefix::around(address_of(v4, bytes), static_cast<int>(random() % (v4 ? 33 : 129)));
}

/// The address with its bit turned over.
ip_address turned(const ip_address& address, size_t bit) {
  std::array<uint8_t, 16> bytes{};
  std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
  bytes[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
  return address_of(address.is_v4(), bytes);
}

/// As long as an address is.
ip_prefix whole(const ip_address& address) {
  return ip_prefix::around(address, address.width());
}

ip_prefix random_address(std::mt19937& random, const std::vector<ranked_network>& near) {
  const auto& base = near[random() % near.size()].prefix;
  auto made = base.address;
  for (auto bit = random() % (static_cast<size_t>(base.bits) + 1); bit < static_cast<size_t>(made.width()); ++bit)
    if (random() % 2 == 0)
      made = turned(made, bit);
  return whole(made);
}

// What the networks say: the longest counts, and of equal ones the last.
region_order expected(const std::vector<ranked_network>& networks, const ip_prefix& address) {
  const ranked_network* best = nullptr;
  for (const auto& each : networks)
    if (each.prefix.contains(address) && (best == nullptr || each.prefix.bits >= best->prefix.bits))
      best = &each;
  return best != nullptr ? best->order : order_number(0);
}

} // namespace

CAF_TEST(the_longest_network_counts_and_the_scope_is_where_the_order_ends) {
  const ranked_prefixes rank({{*ip_prefix::parse("10.0.0.0/8"), order_number(1)},
                              {*ip_prefix::parse("10.128.0.0/16"), order_number(2)},
                              {*ip_prefix::parse("11.0.0.0/8"), order_number(1)}},
                             order_number(0));
  CAF_CHECK(rank(*ip_prefix::parse("10.128.1.1")).order == order_number(2));
  CAF_CHECK_EQUAL(rank(*ip_prefix::parse("10.128.1.1")).scope, 16);
  CAF_CHECK(rank(*ip_prefix::parse("10.129.1.1")).order == order_number(1));
  CAF_CHECK_EQUAL(rank(*ip_prefix::parse("10.129.1.1")).scope, 16);
  CAF_CHECK_EQUAL(rank(*ip_prefix::parse("10.1.1.1")).scope, 9);
  CAF_CHECK_EQUAL(rank(*ip_prefix::parse("11.1.1.1")).scope, 8);
  CAF_CHECK_EQUAL(rank(*ip_prefix::parse("200.1.1.1")).scope, 1);
  CAF_CHECK_EQUAL(rank(*ip_prefix::parse("2001:db8::1")).scope, 0);
}

CAF_TEST(neighbours_with_one_order_are_one_prefix) {
  const ranked_prefixes rank({{*ip_prefix::parse("10.0.0.0/9"), order_number(1)},
                              {*ip_prefix::parse("10.128.0.0/9"), order_number(1)},
                              {*ip_prefix::parse("10.1.0.0/16"), order_number(1)}},
                             order_number(0));
  CAF_CHECK_EQUAL(rank(*ip_prefix::parse("10.1.1.1")).scope, 8);
}

CAF_TEST(every_address_gets_its_order_and_scopes_do_not_overlap) {
  std::mt19937 random(25);
  for (int round = 0; round < 60; ++round) {
    const auto v4 = round % 2 == 0;
    std::vector<ranked_network> networks;
    for (auto count = 1 + random() % 40; count > 0; --count)
      networks.push_back({random_network(random, v4), order_number(static_cast<unsigned>(random()))});
    const ranked_prefixes rank(networks, order_number(0));
    for (int probe = 0; probe < 500; ++probe) {
      const auto address = random_address(random, networks);
      const auto here = rank(address);
      if (!(here.order == expected(networks, address)))
        CAF_FAIL(to_string(address) << " gets another order");
      // Any other address of the same scope gets the same answer with the same scope.
      auto other = address;
      for (size_t bit = here.scope; bit < static_cast<size_t>(other.bits); ++bit)
        if (random() % 2 == 0)
          other.address = turned(other.address, bit);
      const auto there = rank(other);
      if (!(there.order == here.order) || there.scope != here.scope)
        CAF_FAIL(to_string(address) << '/' << int{here.scope} << " contradicts " << to_string(other));
      // And the next wider prefix holds another order, or it would be the scope.
      if (here.scope > 0) {
        const auto next = rank(whole(turned(masked(address.address, here.scope), here.scope - 1u)));
        if (next.order == here.order && next.scope <= here.scope)
          CAF_FAIL(to_string(address) << '/' << int{here.scope} << " is narrower than its order");
      }
    }
  }
}

// A resolver that keeps what it hears by prefix, as RFC 7871 has it, must never say anything else than the server
// would, in whatever order its clients come.
CAF_TEST(a_resolver_that_keeps_answers_by_scope_tells_every_client_the_truth) {
  world all;
  all.put("item", set_of(world::eu) | set_of(world::us) | set_of(world::ap));
  std::mt19937 random(26);
  std::map<std::string, std::pair<ip_prefix, std::vector<std::string>>> kept;
  size_t hits = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto client = ip_prefix::around(random_address(random, all.networks).address, 24);
    if (!client.address.is_v4())
      continue;
    const auto direct = all.ask(world::host("item"), type::a, subnet_option(to_string(client)));
    for (const auto& [text, entry] : kept) {
      if (!entry.first.contains(client))
        continue;
      ++hits;
      if (entry.second != answers(direct))
        CAF_FAIL(text << " contradicts " << to_string(client));
    }
    const auto scope = ip_prefix::around(client.address, scope_of(direct));
    kept[to_string(scope)] = {scope, answers(direct)};
  }
  CAF_CHECK(hits > 1000);
  CAF_CHECK(kept.size() > 5);
}

CAF_TEST(an_ipv4_network_inside_of_ipv6_counts_as_that_network) {
  world all;
  all.put("item", set_of(world::eu) | set_of(world::us) | set_of(world::ap));
  const message mapped{0, 2, 120, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2};
  const auto answer = all.ask(world::host("item"), type::a, option_bytes(option::client_subnet, mapped));
  CAF_CHECK_EQUAL(answers(answer), answers(all.ask(world::host("item"), type::a, subnet_option("10.1.2.0/24"))));
  const auto said = option_of(answer, option::client_subnet);
  CAF_REQUIRE(said);
  CAF_CHECK_EQUAL(static_cast<int>((*said)[3]), 96 + 16);
  auto repeated = *said;
  repeated[3] = 0;
  CAF_CHECK(repeated == mapped);
}
