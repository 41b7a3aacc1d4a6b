#pragma once

#include "runtime/dns/item_directory.hpp"
#include "runtime/dns/ranked_prefixes.hpp"

#include <string>

/// The made-up world of gnomon-dns-demo: five regions, and items that some of them hold.
namespace gnomon::dns::demo {

constexpr size_t region_count = 5;

/// Names as in configs/five-regions, addresses of the documentation's networks (RFC 5737, RFC 3849).
region_table regions();

/// Region `first`, then those after it round the circle.
region_order order_from(size_t first);

/// Which regions hold item number n: two or three of the five.
region_set holders_of(size_t n);

std::string item_name(size_t n);

void fill(item_directory& items, size_t count);

/// Lines PREFIX,REGION. Throws std::runtime_error with the line that is wrong.
std::vector<ranked_network> read_networks(const std::string& path, const region_table& table);

void take_first_down(region_table& table);

/// Configs for gdnsd and knot that answer A queries as the demo does, for the same items and networks, and the
/// questions for dnsperf: `gdnsd/config`, `gdnsd/zones/`, `geo.conf`, `knot.zone`, `queries`.
void write_peers(const std::string& folder, const std::string& zone_name, size_t items, const std::string& networks);

} // namespace gnomon::dns::demo
