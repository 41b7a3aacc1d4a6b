#pragma once

#include "runtime/virtual_replay/policy.hpp"

#include <functional>

namespace gnomon::virtual_replay {

/// What a policy came to.
struct outcome {
  std::string policy;
  uint64_t reads = 0;
  double local_share = 0;
  double mean_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0;
  double moves_per_100_reads = 0; // values sent to another region, to answer a read or ahead of one
  double prefetched_per_100_reads = 0;
  double prefetched_read_share = 0; // of the copies made ahead of a read, those that one found
  double copies_per_item = 0;       // mean over time and items; the origin's is one
  double moved_usd = 0, stored_usd = 0, latency_usd = 0;
  std::string notes;

  double total_usd() const {
    return moved_usd + stored_usd + latency_usd;
  }
};

/// Called now and then with the share that is done.
using play_listener = std::function<void(double share)>;

outcome play(const scene& on, const std::string& name, policy& with, const play_listener& listener = {});

/// The least cost there is with the origin's copies fixed: between two reads in a region it keeps the copy, or moves it
/// again just in time, whichever is cheaper; every read is local. Values come from the cheapest region that ever read
/// the item. No policy can do it, for it knows what comes.
outcome play_clairvoyant(const scene& on);

/// Share of the measured reads that can be local for somebody who does not know when items come to be: all but the
/// first read of an item anywhere, outside the regions with durable copies.
double ceiling_local_share(const scene& on);

} // namespace gnomon::virtual_replay
