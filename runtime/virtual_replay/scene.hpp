#pragma once

#include "learning/economy/prices.hpp"
#include "runtime/replay/round_trips.hpp"
#include "runtime/replay/trace.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Plays traces in virtual time: what each policy for copies would have cost, and how fast reads would have been.
namespace gnomon::virtual_replay {

/// A read; times are in seconds since the first one.
struct scene_read {
  double t = 0;
  uint32_t item = 0;
  uint32_t user = 0;
  uint16_t region = 0; // of the scene
};

/// A write of an item in the origin region; times as above.
struct scene_update {
  double t = 0;
  uint32_t item = 0;
};

/// A region with its prices and the others by distance.
struct scene_region {
  std::string name;
  learning::region_price price;
  std::vector<double> round_trip_ms; // to each region
  std::vector<uint16_t> nearest;     // the other regions, nearest first
};

/// What all policies are played on. Immutable once made.
struct scene {
  std::vector<scene_region> regions;
  std::vector<scene_read> reads;     // in order of time
  std::vector<scene_update> updates; // in order of time, each after the first read of its item
  std::vector<std::string> items;    // names, by number
  std::vector<double> bytes;         // by item
  std::vector<uint32_t> first_read;  // by item: number of its first read, when it comes to be as far as is known
  uint64_t epoch = 0;                // of time 0, in seconds since 1970
  size_t users = 0;
  size_t origin = 0;                  // the region that has a durable copy of everything
  std::vector<uint16_t> durable;      // the regions with durable copies that stay, the origin first
  std::vector<uint16_t> first_copies; // those that get a copy when an item comes to be, beyond the durable ones
  size_t measured_from = 0;           // number of the first read that counts
  double local_ms = 1;                // of a read that a local copy answers
  double usd_per_ms = learning::default_usd_per_ms;

  double begin() const {
    return reads[measured_from].t;
  }
  double end() const {
    return reads.back().t;
  }
  /// The read is the first of its item anywhere.
  bool created_by(size_t read) const {
    return first_read[reads[read].item] == read;
  }
  double hold_usd_per_s(uint32_t item, size_t region) const {
    return regions[region].price.hold_usd_per_s(bytes[item]);
  }
  double move_usd(uint32_t item, size_t from) const {
    return regions[from].price.move_usd(bytes[item]);
  }
  /// What a read's way to another region costs its reader, beyond a local answer.
  double waiting_usd(size_t reader, size_t holder) const {
    return usd_per_ms * (regions[reader].round_trip_ms[holder] - local_ms);
  }
};

struct scene_options {
  std::vector<std::string> regions; // of the cluster; empty: those of the trace
  std::string origin;               // empty: the region with the most reads
  double warm_up = 0.5;             // share of the reads that are not measured
  size_t min_copies = 1, factor = 1;
  uint64_t value_bytes = 0; // 0: log-normal around 64 KiB
  double local_ms = 1;
  double usd_per_ms = learning::default_usd_per_ms;
};

/// Errors: invalid_argument with a sentence (an unknown region, too few reads, more than 256 regions).
expected<scene> make_scene(const replay::trace& reads, const replay::round_trips& distances,
                           const learning::price_table& prices, const scene_options& options);

} // namespace gnomon::virtual_replay
