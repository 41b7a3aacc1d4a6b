#pragma once

#include "runtime/dns/ranked_prefixes.hpp"
#include "runtime/dns/responder.hpp"
#include "tests/dns/messages.hpp"

/// Three regions, a few networks, and one zone, asked without sockets.
namespace gnomon::dns::test {

constexpr auto zone_text = R"($TTL 300
@ IN SOA ns1 hostmaster 7 3600 600 604800 30
@ IN NS ns1
@ IN NS ns2.other.example.
@ IN MX 10 mail
@ IN TXT "v=spf1 -all"
ns1 IN A 198.51.100.1
mail IN A 198.51.100.2
mail IN AAAA 2001:db8:1::2
www IN CNAME mail
deep.below IN TXT "x"
big IN TXT "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
)";

inline region make_region(std::string name, std::vector<std::string> addresses) {
  region made;
  made.name = std::move(name);
  made.http_port = 8080;
  for (const auto& each : addresses)
    if (!region_table::add_address(made, each))
      throw std::runtime_error(each);
  return made;
}

inline region_order order(std::vector<region_id> ids) {
  region_order made;
  for (const auto id : ids)
    made.add(id);
  return made;
}

struct world {
  enum : region_id { eu, us, ap };
  item_directory items;
  published<region_table> regions;
  responder_config config;
  std::vector<ranked_network> networks{{*ip_prefix::parse("10.0.0.0/8"), order({us, eu, ap})},
                                       {*ip_prefix::parse("10.1.0.0/16"), order({ap, us, eu})},
                                       {*ip_prefix::parse("192.0.2.0/24"), order({eu, us, ap})},
                                       {*ip_prefix::parse("2001:db8::/32"), order({ap, eu, us})}};
  std::unique_ptr<responder> answering;
  counters count;
  sender from{.address = *ip_address::parse("192.0.2.77")};
  uint32_t now = 1'800'000'000;
  uint64_t now_us = 1'000'000;
  size_t asked_bytes = 0;
  size_t answered_bytes = 0;

  world() {
    config.rate.answers_per_second = 0;
    region_table table;
    table.regions = {make_region("eu", {"203.0.113.1", "2001:db8:2::1"}), make_region("us", {"203.0.113.2"}),
                     make_region("ap", {"203.0.113.3", "2001:db8:2::3"})};
    regions.set(table);
  }

  static std::string host(std::string_view id, const std::string& zone_name = "g.example") {
    return label_of(id) + '.' + zone_name;
  }
  void put(std::string_view id, region_set holders, uint32_t until = 0) {
    items.set(label_bytes_of(id), {.regions = holders, .until = until});
  }
  void set_live(region_id id, bool live) {
    regions.update([=](region_table& table) { table.regions[id].live = live; });
  }

  responder& server() {
    if (!answering) {
      std::vector<zone> zones;
      zones.push_back(read_zone("g.example", zone_text));
      zones.push_back(read_zone("other.example", plain_zone_text("other.example", {"eu", "us"})));
      zones.push_back(read_zone("sub.g.example", plain_zone_text("sub.g.example", {"ap"})));
      answering = std::make_unique<responder>(config, std::move(zones), items, regions,
                                              ranked_prefixes(networks, order({eu, us, ap})));
    }
    return *answering;
  }

  /// The bytes of the answer; empty for silence.
  message answer(const message& asked) {
    message out(65535);
    auto& target = server();
    const auto moment = snapshot::of(regions.get(), now, now_us);
    out.resize(target.answer(asked, from, moment, out, count));
    asked_bytes = asked.size();
    answered_bytes = out.size();
    return out;
  }
  packet ask(const question& asked) {
    return parse(answer(bytes_of(asked)));
  }
  packet ask(const std::string& name, uint16_t qtype, const message& options = {}) {
    return ask({.name = name, .qtype = qtype, .options = options});
  }
};

inline int code_of(const packet& answer) {
  const auto high = ldns_pkt_edns(answer.get()) ? ldns_pkt_edns_extended_rcode(answer.get()) << 4 : 0;
  return ldns_pkt_get_rcode(answer.get()) | high;
}

/// The scope of the answer's client subnet; -1 when it has none.
inline int scope_of(const packet& answer) {
  const auto subnet = option_of(answer, option::client_subnet);
  return subnet ? (*subnet)[3] : -1;
}

inline int extended_error_of(const packet& answer) {
  const auto data = option_of(answer, option::extended_error);
  return data ? (*data)[0] << 8 | (*data)[1] : -1;
}

/// TTL of the first answer.
inline uint32_t ttl_of(const packet& answer) {
  return ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_answer(answer.get()), 0));
}

} // namespace gnomon::dns::test
