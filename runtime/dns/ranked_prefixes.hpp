#pragma once

#include "runtime/dns/region_table.hpp"

#include <vector>

namespace gnomon::dns {

/// A network whose clients see the regions in one order.
struct ranked_network {
  ip_prefix prefix;
  region_order order;
};

/// A `ranking` made once from networks, which may lie in one another: the longest that holds an address counts.
/// Networks side by side with the same order are joined, and those with others inside are cut up, so that what stays
/// are prefixes that do not overlap, each as wide as its order reaches. A look is a binary search. Immutable, so
/// thread-safe.
class ranked_prefixes {
public:
  /// `fallback` is the order of all addresses that lie in none of the networks.
  ranked_prefixes(const std::vector<ranked_network>& networks, const region_order& fallback);

  ranked operator()(const ip_prefix& from) const;

  /// How many prefixes there are, both families together.
  size_t size() const;

private:
  struct piece {
    ip_prefix prefix;
    uint32_t order;
  };
  class builder;
  std::vector<region_order> orders_;
  std::vector<piece> ipv4_;
  std::vector<piece> ipv6_;
};

} // namespace gnomon::dns
