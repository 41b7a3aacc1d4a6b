#include "tests/dns/demo_world.hpp"

#include "runtime/base/label.hpp"
#include "runtime/dns/hash.hpp"

#include <spdlog/fmt/fmt.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <stdexcept>

namespace gnomon::dns::demo {

namespace {

struct site {
  const char* name;
  double latitude;
  double longitude;
};

constexpr std::array<site, region_count> sites{{{"us-east-1", 38.95, -77.45},
                                                {"us-west-2", 45.84, -119.7},
                                                {"eu-central-1", 50.11, 8.68},
                                                {"ap-northeast-1", 35.68, 139.69},
                                                {"sa-east-1", -23.55, -46.63}}};

std::string address_text(size_t id) {
  return fmt::format("192.0.2.{}", id + 1);
}

std::ofstream open(const std::filesystem::path& path) {
  std::ofstream file(path);
  if (!file)
    throw std::runtime_error("cannot write " + path.string());
  return file;
}

// The nearest of the set for clients of the network.
size_t nearest(region_set holders, const region_order& order) {
  for (const auto id : order)
    if (has(holders, id))
      return id;
  return 0;
}

// One map for each set of holders, for a map of gdnsd names all of its places.
void write_gdnsd(const std::filesystem::path& folder, const std::string& zone_name, size_t items,
                 const std::vector<ranked_network>& networks) {
  std::filesystem::create_directories(folder / "zones");
  std::set<region_set> sets;
  auto zone = open(folder / "zones" / zone_name);
  zone << "$TTL 2\n@ SOA ns1 hostmaster 1 3600 600 604800 10\n@ NS ns1\nns1 A 192.0.2.1\n";
  for (size_t n = 0; n < items; ++n) {
    sets.insert(holders_of(n));
    zone << fmt::format("{} DYNA geoip!set{}\n", label_of(item_name(n)), holders_of(n));
  }
  auto maps = open(folder / "geoip");
  maps << "maps => {\n";
  for (const auto set : sets) {
    maps << fmt::format("set{} => {{ datacenters => [", set);
    for (const auto id : order_from(0))
      if (has(set, id))
        maps << sites[id].name << ' ';
    maps << "], nets => {\n";
    for (const auto& each : networks) {
      maps << to_string(each.prefix) << " => [";
      for (const auto id : each.order)
        if (has(set, id))
          maps << sites[id].name << ' ';
      maps << "]\n";
    }
    maps << "} }\n";
  }
  maps << "}\nresources => {\n";
  for (const auto set : sets) {
    maps << fmt::format("set{0} => {{ map => set{0}, service_types => up, dcmap => {{", set);
    for (const auto id : order_from(0))
      if (has(set, id))
        maps << fmt::format(" {} => [ {} ]", sites[id].name, address_text(id));
    maps << " } }\n";
  }
  maps << "}\n";
}

void write_knot(const std::filesystem::path& folder, const std::string& zone_name, size_t items,
                const std::vector<ranked_network>& networks) {
  auto zone = open(folder / "knot.zone");
  zone << fmt::format("{0}. 2 SOA ns1.{0}. hostmaster.{0}. 1 3600 600 604800 10\n{0}. 2 NS ns1.{0}.\n", zone_name);
  auto geo = open(folder / "geo.conf");
  for (size_t n = 0; n < items; ++n) {
    geo << fmt::format("{}.{}.:\n", label_of(item_name(n)), zone_name);
    for (const auto& each : networks)
      geo << fmt::format("  - net: {}\n    A: {}\n", to_string(each.prefix),
                         address_text(nearest(holders_of(n), each.order)));
  }
}

} // namespace

region_table regions() {
  region_table table;
  for (size_t id = 0; id < sites.size(); ++id) {
    region each;
    each.name = sites[id].name;
    each.where = {sites[id].latitude, sites[id].longitude};
    each.http_port = 8080;
    region_table::add_address(each, address_text(id));
    region_table::add_address(each, fmt::format("2001:db8::{}", id + 1));
    table.regions.push_back(std::move(each));
  }
  return table;
}

region_order order_from(size_t first) {
  region_order order;
  for (size_t i = 0; i < region_count; ++i)
    order.add(static_cast<region_id>((first + i) % region_count));
  return order;
}

region_set holders_of(size_t n) {
  const auto bits = mix(n + 1);
  return set_of(bits % 5) | set_of((bits % 5 + 1 + bits / 5 % 4) % 5) | set_of(bits / 64 % 5);
}

std::string item_name(size_t n) {
  return fmt::format("item/{}", n);
}

void fill(item_directory& items, size_t count) {
  for (size_t n = 0; n < count; ++n)
    items.set(label_bytes_of(item_name(n)), {.regions = holders_of(n)});
}

std::vector<ranked_network> read_networks(const std::string& path, const region_table& table) {
  std::ifstream file(path);
  if (!file)
    throw std::runtime_error("cannot read " + path);
  std::vector<ranked_network> networks;
  for (std::string line; std::getline(file, line);) {
    const auto comma = line.find(',');
    const auto prefix = ip_prefix::parse(line.substr(0, comma));
    const auto name = comma == line.npos ? "" : line.substr(comma + 1);
    size_t id = 0;
    while (id < table.regions.size() && table.regions[id].name != name)
      ++id;
    if (!prefix || id == table.regions.size())
      throw std::runtime_error(path + ": not PREFIX,REGION: " + line);
    networks.push_back({*prefix, order_from(id)});
  }
  return networks;
}

void take_first_down(region_table& table) {
  for (auto& each : table.regions) {
    if (each.live) {
      each.live = false;
      return;
    }
  }
}

void write_peers(const std::string& folder, const std::string& zone_name, size_t items, const std::string& networks) {
  const auto mapped = read_networks(networks, regions());
  write_gdnsd(std::filesystem::path(folder) / "gdnsd", zone_name, items, mapped);
  write_knot(folder, zone_name, items, mapped);
  std::vector<size_t> order(items);
  for (size_t n = 0; n < items; ++n)
    order[n] = n;
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  auto queries = open(std::filesystem::path(folder) / "queries");
  for (const auto n : order)
    queries << fmt::format("{}.{} A\n", label_of(item_name(n)), zone_name);
}

} // namespace gnomon::dns::demo
