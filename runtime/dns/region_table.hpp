#pragma once

#include "runtime/base/great_circle.hpp"
#include "runtime/base/ip_address.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace gnomon::dns {

/// A region's number: its position in the region table.
using region_id = uint8_t;
constexpr size_t max_regions = 64;

/// A set of regions, one bit each: bit n is region n.
using region_set = uint64_t;

constexpr region_set set_of(region_id id) {
  return region_set{1} << id;
}

constexpr bool has(region_set set, region_id id) {
  return (set >> id & 1) != 0;
}

using ipv4_address = std::array<uint8_t, 4>;
using ipv6_address = std::array<uint8_t, 16>;

/// What DNS says of one region.
struct region {
  std::string name; // also its host name below each zone: at most 63 of a-z, 0-9 and '-'
  bool live = true;
  bool last_resort = false; // named when no region is live
  std::vector<ipv4_address> ipv4;
  std::vector<ipv6_address> ipv6;
  uint16_t http_port = 80;
  place where;
};

/// All regions, and how soon the node learns that one is down. Published as a whole; an item's region numbers mean the
/// table's positions, so a region keeps its position for as long as the process runs.
struct region_table {
  std::vector<region> regions; // at most max_regions
  std::chrono::milliseconds detector_bound{2000};
  bool items_known = true; // false while the directory may lack items that others hold, as after a start

  /// Those that DNS can name. A region whose name is no host name is left out everywhere.
  region_set all() const;
  region_set live() const;
  /// Those marked as last resort; all, when none is.
  region_set last_resort() const;
  /// Addresses of an IPv4 or IPv6 socket in text form, for configs and tests. False for other text.
  static bool add_address(region& where, const std::string& text);
};

/// The regions from the nearest to the furthest. Regions that it does not name come last.
struct region_order {
  std::array<region_id, max_regions> ids{};
  uint8_t count = 0;

  void add(region_id id) {
    ids[count++] = id;
  }
  const region_id* begin() const {
    return ids.data();
  }
  const region_id* end() const {
    return ids.data() + count;
  }
  bool operator==(const region_order& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }
};

/// An order, and the prefix over which it is the same.
struct ranked {
  region_order order;
  uint8_t scope = 0; // bits
};

/// The regions' order for clients in `from`. Called by several threads at once; must not block or throw.
/// The scopes must cut the addresses into prefixes that do not overlap: for every address `b` within the scope of `a`
/// the answer is the same, scope included. Otherwise what resolvers remember would depend on the order of their
/// questions (RFC 7871, section 7.2.1). `ranked_prefixes` is such a function.
using ranking = std::function<ranked(const ip_prefix& from)>;

} // namespace gnomon::dns
