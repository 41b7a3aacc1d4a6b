#define CAF_SUITE ranked_prefixes
#include "tests/dns/world.hpp"

#include <caf/test/dsl.hpp>

#include <map>
#include <random>

using namespace gnomon::dns;
using namespace gnomon::dns::test;

namespace {

region_order order_number(unsigned n) {
  return order(
      {static_cast<region_id>(n % 3), static_cast<region_id>((n + 1) % 3), static_cast<region_id>((n + 2) % 3)});
}

network random_network(std::mt19937& random, family kind) {
  network made{.kind = kind, .bits = address_bits(kind)};
  for (size_t i = 0; i < made.bits / 8u; ++i)
    made.bytes[i] = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 2 * 255);
  return cut(made, static_cast<uint8_t>(random() % (made.bits + 1)));
}

network random_address(std::mt19937& random, const std::vector<ranked_network>& near) {
  const auto& base = near[random() % near.size()].prefix;
  network made{.kind = base.kind, .bits = address_bits(base.kind), .bytes = base.bytes};
  for (size_t bit = random() % (base.bits + 1u); bit < made.bits; ++bit)
    if (random() % 2 == 0)
      made.bytes[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
  return made;
}

// What the networks say: the longest counts, and of equal ones the last.
region_order expected(const std::vector<ranked_network>& networks, const network& address) {
  const ranked_network* best = nullptr;
  for (const auto& each : networks)
    if (contains(each.prefix, address) && (best == nullptr || each.prefix.bits >= best->prefix.bits))
      best = &each;
  return best != nullptr ? best->order : order_number(0);
}

} // namespace

CAF_TEST(the_longest_network_counts_and_the_scope_is_where_the_order_ends) {
  const ranked_prefixes rank({{*parse_network("10.0.0.0/8"), order_number(1)},
                              {*parse_network("10.128.0.0/16"), order_number(2)},
                              {*parse_network("11.0.0.0/8"), order_number(1)}},
                             order_number(0));
  CAF_CHECK(rank(*parse_network("10.128.1.1")).order == order_number(2));
  CAF_CHECK_EQUAL(rank(*parse_network("10.128.1.1")).scope, 16);
  CAF_CHECK(rank(*parse_network("10.129.1.1")).order == order_number(1));
  CAF_CHECK_EQUAL(rank(*parse_network("10.129.1.1")).scope, 16);
  CAF_CHECK_EQUAL(rank(*parse_network("10.1.1.1")).scope, 9);
  CAF_CHECK_EQUAL(rank(*parse_network("11.1.1.1")).scope, 8);
  CAF_CHECK_EQUAL(rank(*parse_network("200.1.1.1")).scope, 1);
  CAF_CHECK_EQUAL(rank(*parse_network("2001:db8::1")).scope, 0);
}

CAF_TEST(neighbours_with_one_order_are_one_prefix) {
  const ranked_prefixes rank({{*parse_network("10.0.0.0/9"), order_number(1)},
                              {*parse_network("10.128.0.0/9"), order_number(1)},
                              {*parse_network("10.1.0.0/16"), order_number(1)}},
                             order_number(0));
  CAF_CHECK_EQUAL(rank(*parse_network("10.1.1.1")).scope, 8);
}

CAF_TEST(every_address_gets_its_order_and_scopes_do_not_overlap) {
  std::mt19937 random(25);
  for (int round = 0; round < 60; ++round) {
    const auto kind = round % 2 == 0 ? family::ipv4 : family::ipv6;
    std::vector<ranked_network> networks;
    for (auto count = 1 + random() % 40; count > 0; --count)
      networks.push_back({random_network(random, kind), order_number(static_cast<unsigned>(random()))});
    const ranked_prefixes rank(networks, order_number(0));
    for (int probe = 0; probe < 500; ++probe) {
      const auto address = random_address(random, networks);
      const auto here = rank(address);
      if (!(here.order == expected(networks, address)))
        CAF_FAIL(to_string(address) << " gets another order");
      // Any other address of the same scope gets the same answer with the same scope.
      auto other = address;
      for (size_t bit = here.scope; bit < other.bits; ++bit)
        if (random() % 2 == 0)
          other.bytes[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
      const auto there = rank(other);
      if (!(there.order == here.order) || there.scope != here.scope)
        CAF_FAIL(to_string(address) << '/' << int{here.scope} << " contradicts " << to_string(other));
      // And the next wider prefix holds another order, or it would be the scope.
      if (here.scope > 0) {
        auto beside = cut(address, here.scope);
        beside.bytes[(here.scope - 1) / 8] ^= static_cast<uint8_t>(0x80 >> (here.scope - 1) % 8);
        beside.bits = address.bits;
        const auto next = rank(beside);
        if (next.order == here.order && next.scope <= here.scope)
          CAF_FAIL(to_string(address) << '/' << int{here.scope} << " is narrower than its order");
      }
    }
  }
}

CAF_TEST(scopes_that_keep_apart_from_the_other_networks_do_not_overlap) {
  std::mt19937 random(28);
  for (int round = 0; round < 40; ++round) {
    const auto kind = round % 2 == 0 ? family::ipv4 : family::ipv6;
    std::vector<ranked_network> ranked;
    std::vector<network> networks;
    for (auto count = 1 + random() % 20; count > 0; --count) {
      networks.push_back(random_network(random, kind));
      ranked.push_back({networks.back(), order_number(0)});
    }
    const auto decides = [&](const network& address) {
      int best = -1;
      for (size_t i = 0; i < networks.size(); ++i)
        if (contains(networks[i], address) && (best < 0 || networks[i].bits > networks[static_cast<size_t>(best)].bits))
          best = static_cast<int>(i);
      return best;
    };
    const auto scope_of = [&](const network& address) {
      const auto best = decides(address);
      return bits_apart(address, best < 0 ? 0 : networks[static_cast<size_t>(best)].bits, networks);
    };
    for (int probe = 0; probe < 300; ++probe) {
      const auto address = random_address(random, ranked);
      const auto scope = scope_of(address);
      auto other = address;
      for (size_t bit = scope; bit < other.bits; ++bit)
        if (random() % 2 == 0)
          other.bytes[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
      if (decides(other) != decides(address) || scope_of(other) != scope)
        CAF_FAIL(to_string(address) << '/' << int{scope} << " contradicts " << to_string(other));
    }
  }
}

// A resolver that keeps what it hears by prefix, as RFC 7871 has it, must never say anything else than the server
// would, in whatever order its clients come.
CAF_TEST(a_resolver_that_keeps_answers_by_scope_tells_every_client_the_truth) {
  world all;
  all.put("item", set_of(world::eu) | set_of(world::us) | set_of(world::ap));
  std::mt19937 random(26);
  std::map<std::string, std::pair<network, std::vector<std::string>>> kept;
  size_t hits = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto client = cut(random_address(random, all.networks), 24);
    if (client.kind != family::ipv4)
      continue;
    const auto direct = all.ask(world::host("item"), type::a, subnet_option(to_string(client)));
    for (const auto& [text, entry] : kept) {
      if (!contains(entry.first, client))
        continue;
      ++hits;
      if (entry.second != answers(direct))
        CAF_FAIL(text << " contradicts " << to_string(client));
    }
    const auto scope = cut(client, static_cast<uint8_t>(scope_of(direct)));
    kept[to_string(scope)] = {scope, answers(direct)};
  }
  CAF_CHECK(hits > 1000);
  CAF_CHECK(kept.size() > 5);
}
