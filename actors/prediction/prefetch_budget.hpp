#pragma once

#include "runtime/base/clock.hpp"

#include <cstdint>

namespace gnomon {

struct prefetch_limits {
  double confidence = 0.3;              // the threshold never falls below
  double waste = 0.6;                   // of the copies, the most that may go unread
  uint64_t bytes_per_second = 4u << 20; // in the long run
};

/// Decides which guesses are worth a copy. A guess is let through as long as the copies made so far, those whose
/// outcome is open counted by what was said of them, keep the share that goes unread within its bound: likely copies
/// make room for less likely ones. Bytes are rationed by a bucket that fills at the given rate and holds ten seconds of
/// it. Pure: time is given. Not thread-safe.
class prefetch_budget {
public:
  explicit prefetch_budget(const prefetch_limits& limits);

  /// The least confidence that is let through now.
  double threshold() const;
  bool worth(double confidence) const {
    return confidence >= threshold();
  }
  /// Takes the bytes of one copy out of the bucket; false, and nothing taken, when it is empty. A copy larger than what
  /// is left is let through and leaves a debt.
  bool take(uint64_t bytes, timestamp now);
  /// The copy turned out to have `actual` bytes where `expected` were taken.
  void correct(uint64_t expected, uint64_t actual);
  /// A copy of that confidence was made; its outcome is open.
  void issue(double confidence);
  /// It did not come after all.
  void withdraw(double confidence);
  /// Its outcome: it was read, or its time was over.
  void settle(double confidence, bool used);

  /// Of the last few thousand outcomes; 0 before the first.
  double wasted_share() const;

private:
  /// How much of what is said comes true; at most 1.
  double honesty() const;

  prefetch_limits limits_;
  double bytes_ = 0; // left in the bucket
  timestamp filled_{};
  double open_ = 0, open_said_ = 0;           // copies without an outcome yet, and the sum of their confidences
  double outcomes_ = 0, used_ = 0, said_ = 0; // fading; said: the sum of their confidences
};

} // namespace gnomon
