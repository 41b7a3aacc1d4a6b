#pragma once

#include "runtime/base/error.hpp"
#include "runtime/report/chart.hpp"
#include "runtime/report/world_map.hpp"

#include <string>
#include <vector>

namespace gnomon::report {

/// What one policy, or one pass, came to. Money is in US dollars for a million reads, shares are from 0 to 1.
struct policy_row {
  std::string name;
  double local_share = 0;
  double mean_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0;
  double copies_per_item = 0; // mean over time
  double moved_usd = 0, stored_usd = 0, latency_usd = 0;
  std::vector<double> local_over_time; // share in equal slices of the measured time; NaN where nobody read

  double total_usd() const {
    return moved_usd + stored_usd + latency_usd;
  }
};

/// An item, and what it cost with its copies and would have cost without, in US dollars.
struct item_row {
  std::string name;
  double bytes = 0;
  uint64_t reads = 0;
  double without_usd = 0, with_usd = 0;

  double earned_usd() const {
    return without_usd - with_usd;
  }
};

/// All that the page shows.
struct page_data {
  std::string title;
  std::vector<std::string> facts; // sentences below the title
  std::vector<std::string> notes; // at the end
  std::vector<policy_row> policies;
  size_t about = 0;              // the policy that flows and items belong to
  std::vector<policy_row> bound; // the clairvoyant, from few copies to many; may be empty
  double hours = 0;              // measured time
  std::vector<map_region> regions;
  std::string flow_name = "What moved between regions"; // a sentence without its end
  std::vector<flow> flows;                              // in any order
  std::pair<std::string, std::string> item_heads{"without copies", "with"};
  std::vector<item_row> items; // in any order
};

/// One page: charts with tables that say the same, for light and dark, narrow and wide windows. It loads nothing.
std::string to_html(const page_data& what);

/// Errors: store_failed.
caf::error write_html(const std::string& file, const page_data& what);

} // namespace gnomon::report
