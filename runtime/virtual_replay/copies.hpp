#pragma once

#include "learning/economy/bill.hpp"
#include "runtime/virtual_replay/scene.hpp"

#include <limits>
#include <queue>

namespace gnomon::virtual_replay {

/// Which regions hold which items while a policy is played, and what that costs from the scene's first measured read
/// on. Not thread-safe.
class copies {
public:
  explicit copies(const scene& on);

  bool has(uint32_t item, size_t region, double now) const {
    return slots_[item * regions_ + region].until > now;
  }
  /// The holder that answers a reader in `region`, which has no copy: the nearest.
  size_t nearest(uint32_t item, size_t region, double now) const;
  /// The holder from which a copy costs least; the nearest of several.
  size_t cheapest(uint32_t item, size_t region, double now) const;

  /// The item is written for the first time: its durable copies and its first copies, these for as long as `keep_s`
  /// says.
  void create(uint32_t item, double now, double keep_s, bool measured);
  /// A read passes; returns the holder that answers, the reader's own region for a local one.
  size_t read(const scene_read& read, bool measured);
  /// A read that finds its copy: where there is none, the value is moved just in time from `source`.
  void arrive(const scene_read& read, size_t source, bool measured);
  /// The item is written at the origin: every other copy is sent the value.
  void update(const scene_update& update, bool measured);
  /// From now on the copy goes after `keep_s` without this being called again. It was made by a read that has just
  /// moved the value, or is there. Durable ones are left as they are.
  void keep(uint32_t item, size_t region, double now, double keep_s);
  /// Makes a copy ahead of a read, from the cheapest holder. Does nothing where there is one.
  void push(uint32_t item, size_t region, double now, double keep_s, bool measured);
  /// Asks `keep_longer(item, region, now)` about each copy that goes before `now`: how many seconds more it is kept,
  /// from when it would have gone.
  template <class Decide>
  void expire(double now, Decide keep_longer) {
    while (!ends_.empty() && ends_.top().at <= now) {
      const auto [at, place] = ends_.top();
      ends_.pop();
      auto& copy = slots_[place];
      if (copy.until == at)
        copy.until += keep_longer(static_cast<uint32_t>(place / regions_), place % regions_, at);
      if ((copy.queued = copy.until > at))
        ends_.push({copy.until, place});
    }
  }
  /// Call it once after the last read.
  void finish();

  struct figures : learning::bill {
    uint64_t reads = 0, local = 0, moves = 0, pushed = 0, pushed_read = 0;
    double copy_seconds = 0;                        // of all copies but the origins'
    std::vector<float> latencies_ms;                // one a read
    std::vector<uint64_t> slice_reads, slice_local; // in equal slices of the measured time
    std::vector<double> moved_bytes;                // from a region to another: from * regions + to
    std::vector<double> item_usd;                   // by item, all together
  };
  static constexpr size_t slices = 48;
  const figures& counted() const {
    return counted_;
  }

private:
  struct slot {
    double since = 0, until = 0; // no copy: until <= now
    bool unread = false;         // made ahead while it counts, and not read yet
    bool queued = false;         // in `ends_`, perhaps with an earlier end
  };
  struct ending {
    double at;
    size_t place;
    bool operator<(const ending& other) const { // the earliest is on top of the heap
      return at > other.at;
    }
  };
  static constexpr double for_good = std::numeric_limits<double>::infinity();
  /// False when there is a copy, or none is wanted.
  bool make(uint32_t item, size_t region, double now, double keep_s, bool measured);
  void begin(uint32_t item, size_t region, double now, double keep_s);
  void settle(uint32_t item, size_t region);
  void count_read(const scene_read& read, double ms, bool here);
  void count_move(uint32_t item, size_t from, size_t to);

  const scene& on_;
  size_t regions_;
  std::vector<slot> slots_; // item * regions + region
  std::priority_queue<ending> ends_;
  figures counted_;
};

} // namespace gnomon::virtual_replay
