#pragma once

#include "runtime/base/error.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

/// What it costs to keep and to move data, and what waiting costs. All money is in US dollars, times are in seconds
/// unless a name says milliseconds, sizes in bytes. A GB has 10^9 bytes, as on a cloud's bill.
namespace gnomon::learning {

inline constexpr double bytes_per_gb = 1e9;
inline constexpr double seconds_per_month = 30.4375 * 86'400;

/// The list prices of one region.
struct region_price {
  double storage_usd_per_gb_month = 0.023;
  double egress_usd_per_gb = 0.02; // of data that leaves the region for another one

  /// Keeping `bytes` there, a second.
  double hold_usd_per_s(double bytes) const {
    return bytes / bytes_per_gb * storage_usd_per_gb_month / seconds_per_month;
  }
  /// Sending `bytes` from there to another region.
  double move_usd(double bytes) const {
    return bytes / bytes_per_gb * egress_usd_per_gb;
  }
};

/// What a reader's waiting is worth unless a config says otherwise: $0.10 for each 100,000 reads and 100 ms.
inline constexpr double default_usd_per_ms = 1e-8;

/// Prices by region. Immutable once it is filled.
class price_table {
public:
  /// Reads lines `region,storage_usd_per_gb_month,egress_usd_per_gb_to_other_regions`. Skips empty lines, lines that
  /// start with '#', and that header. Errors: not_found (no such file), bad_config with the line.
  static expected<price_table> load(const std::string& file);
  /// The same price everywhere.
  static price_table flat(const region_price& everywhere);

  void set(const std::string& region, const region_price& price);
  bool knows(std::string_view region) const {
    return prices_.find(region) != prices_.end();
  }
  /// The mean of all regions for one that the table does not name.
  const region_price& of(std::string_view region) const;
  /// With storage `factor` times as dear.
  price_table with_storage_times(double factor) const;

private:
  std::map<std::string, region_price, std::less<>> prices_;
  region_price mean_;
};

} // namespace gnomon::learning
