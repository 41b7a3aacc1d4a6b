#pragma once

#include "learning/economy/bill.hpp"
#include "runtime/virtual_replay/policy.hpp"

#include <functional>

namespace gnomon::virtual_replay {

/// What a policy came to.
struct outcome : learning::bill {
  std::string policy;
  uint64_t reads = 0;
  double local_share = 0;
  double mean_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0;
  double moves_per_100_reads = 0; // values sent to another region: to answer a read, ahead of one, or as an update
  double prefetched_per_100_reads = 0;
  double prefetched_read_share = 0; // of the copies made ahead of a read, those that one found
  double copies_per_item = 0;       // mean over time and items; the origin's is one
  std::string notes;
  std::vector<double> local_over_time; // share of local reads in equal slices of the measured time; NaN without reads
  std::vector<double> moved_bytes;     // from a region to another: from * regions + to
  std::vector<double> item_usd;        // by item of the scene, all together
};

/// Called now and then with the share that is done.
using play_listener = std::function<void(double share)>;

outcome play(const scene& on, const std::string& name, policy& with, const play_listener& listener = {});

/// The least cost there is with the origin's copies fixed: between two reads in a region it keeps the copy, or moves it
/// again just in time, whichever is cheaper; after an update always the latter. Every read is local. Values come from
/// the cheapest region that ever read the item. No policy can do it, for it knows what comes.
///
/// With `patience` it holds a copy as long as that is so many times as dear as moving it again: fewer copies or more of
/// them, at a higher cost.
outcome play_clairvoyant(const scene& on, double patience = 1);

/// Share of the measured reads that can be local for somebody who does not know when items come to be: all but the
/// first read of an item anywhere, outside the regions with durable copies.
double ceiling_local_share(const scene& on);

} // namespace gnomon::virtual_replay
