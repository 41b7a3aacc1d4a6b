#pragma once

#include "runtime/base/clock.hpp"

#include <cstdint>

namespace gnomon {

struct prefetch_limits {
  double confidence = 0.3;              // the threshold never falls below
  double waste = 0.6;                   // of the copies, the most that may go unread
  uint64_t bytes_per_second = 4u << 20; // in the long run
};

/// Decides which guesses are worth a copy. The threshold rises while more copies than allowed go unread, and falls back
/// when they are read; bytes are rationed by a bucket that fills at the given rate and holds ten seconds of it.
/// Pure: time is given. Not thread-safe.
class prefetch_budget {
public:
  explicit prefetch_budget(const prefetch_limits& limits);

  bool worth(double confidence) const {
    return confidence >= threshold_;
  }
  /// Takes the bytes of one copy out of the bucket; false, and nothing taken, when it is empty. A copy larger than what
  /// is left is let through and leaves a debt.
  bool take(uint64_t bytes, timestamp now);
  /// The copy turned out to have `actual` bytes where `expected` were taken.
  void correct(uint64_t expected, uint64_t actual);
  /// A copy's outcome: it was read, or its time was over.
  void settle(bool used);

  double threshold() const {
    return threshold_;
  }
  /// Of the last few hundred outcomes; 0 before the first.
  double wasted_share() const;

private:
  prefetch_limits limits_;
  double threshold_;
  double bytes_ = 0; // left in the bucket
  timestamp filled_{};
  double outcomes_ = 0, wasted_ = 0; // fading
};

} // namespace gnomon
