#pragma once

#include "runtime/virtual_replay/play.hpp"

#include <nlohmann/json_fwd.hpp>

namespace gnomon::virtual_replay {

/// What the page says once for all policies.
struct page_facts {
  std::string source;
  std::vector<std::string> notes; // about the trace
  double ceiling = 0;             // as `ceiling_local_share`
};

/// A list of objects, in the order of `rows`: policy, reads, local_share, mean_ms, p50_ms, p95_ms, p99_ms,
/// moves_per_100_reads, prefetched_per_100_reads, prefetched_read_share, copies_per_item, ceiling_local_share, and cost
/// with moved, stored, latency and total in US dollars, over_clairvoyant and usd_per_million_reads. Shares are 0 to 1.
nlohmann::ordered_json to_json(const std::vector<outcome>& rows, const outcome& clairvoyant, const page_facts& facts);

/// One page for a terminal: a table, then what it means for the best policy that is not the clairvoyant.
std::string to_page(const scene& on, const std::vector<outcome>& rows, const outcome& clairvoyant,
                    const page_facts& facts);

} // namespace gnomon::virtual_replay
