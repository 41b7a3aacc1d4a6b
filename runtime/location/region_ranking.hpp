#pragma once

#include "runtime/location/round_trip_estimate.hpp"

#include <span>
#include <string>
#include <vector>

namespace gnomon {

/// What is known of a region at the moment of the choice.
struct region_condition {
  bool live = true;
  double load = 0; // share of its capacity that is in use, 0 to 1
};

/// Where the client is: a region of the cluster, or else a place, or else not known.
struct client_place {
  std::string region;
  std::optional<place> at;
};

/// When load counts. A region at or above `bound` is treated as if it were `detour_ms` further away: it falls behind
/// those that are less than that further than it, and stays in front of all others. So a full region sheds the clients
/// who lose least, and nobody is sent around the world. The rule is that of consistent hashing with bounded loads
/// (Mirrokni, Thorup, Zadimoghaddam 2016: what exceeds a bound goes to the next in order), with a limit to how far.
/// `load` should be a mean over some seconds: then what moves away does not come back at once.
struct load_rule {
  static constexpr double bound = 0.8;
  double detour_ms = 30; // 0: load does not count

  bool passes_over(double load) const {
    return detour_ms > 0 && load >= bound;
  }
};

struct ranked_region {
  size_t number = 0; // in the estimate's sites
  double ms = 0;     // expected round trip; `round_trip_estimate::unknown` when nothing is known
  bool measured =
      false; // between the client's region and this one; otherwise estimated, or 0 in the client's own region
  bool overloaded = false;
};

/// The live regions, the best for the client first. Regions whose round trip is not known come last. Equal ones stand
/// in the order of their names, so that every node gives the same answer. `conditions` has one entry for each site;
/// missing ones count as live and idle. With an unknown client all round trips are unknown. Pure.
std::vector<ranked_region> rank_regions(const client_place& client, const round_trip_estimate& estimate,
                                        std::span<const region_condition> conditions, const load_rule& rule = {});

} // namespace gnomon
