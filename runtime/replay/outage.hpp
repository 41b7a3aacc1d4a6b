#pragma once

#include "runtime/replay/cluster.hpp"
#include "runtime/replay/path_by_name.hpp"
#include "runtime/replay/progress.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace gnomon::replay {

/// One second of the time after a kill.
struct outage_second {
  uint64_t lookups = 0;      // by readers of all regions, those answered from what was remembered included
  uint64_t first = 0;        // of these, those that name the dead region first
  uint64_t named = 0;        // those that name it at all
  uint64_t failed_reads = 0; // without an answer from any node, by when they went out
};

struct outage_report {
  std::string region;
  std::vector<outage_second> seconds;
  double last_first_s = 0; // after the kill; when an answer named the dead region first for the last time
  double last_named_s = 0; // when one named it at all
  double ttl_s = 0;        // the longest TTL that readers got
  double allowed_s = 0;    // until then answers may name it

  bool good() const {
    return last_named_s <= allowed_s;
  }
};

/// How long a region may still be named after its end; one TTL comes on top.
inline constexpr std::chrono::seconds named_after_kill{5};

/// Kills the node of target `victim` while readers of all regions go on, and watches for 20 s what their lookups name.
/// Errors: the loop's.
expected<outage_report> watch_outage(event_loop& loop, local_cluster& cluster, path_by_name& path,
                                     const load_plan& plan, size_t victim, progress& shown);

} // namespace gnomon::replay
