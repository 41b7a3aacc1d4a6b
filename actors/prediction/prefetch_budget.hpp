#pragma once

#include "runtime/base/clock.hpp"

#include <cstdint>

namespace gnomon {

struct prefetch_limits {
  double confidence = 0.3;              // the threshold never falls below this
  double waste = 0.6;                   // the largest share of the copies that may go unread
  uint64_t bytes_per_second = 4u << 20; // in the long run
};

/// Decides which guesses are worth a copy. A guess passes as long as the share of copies that go unread stays within
/// its bound. Copies without an outcome yet count by their confidence, so likely copies make room for less likely ones.
/// A bucket limits the bytes: it fills at the given rate and holds ten seconds of it. Pure: the caller gives the time.
/// Not thread-safe.
class prefetch_budget {
public:
  explicit prefetch_budget(const prefetch_limits& limits);

  /// The least confidence that passes now.
  double threshold() const;
  bool worth(double confidence) const {
    return confidence >= threshold();
  }
  /// Takes the bytes of one copy out of the bucket. False, and nothing is taken, when the bucket is empty. A copy
  /// larger than what is left passes and leaves a debt.
  bool take(uint64_t bytes, timestamp now);
  /// The copy turned out to have `actual` bytes; `expected` were taken.
  void correct(uint64_t expected, uint64_t actual);
  /// A copy of that confidence was made. Its outcome is open.
  void issue(double confidence);
  /// That copy did not arrive after all.
  void withdraw(double confidence);
  /// The outcome of a copy: it was read, or its lease ended unread.
  void settle(double confidence, bool used);

  /// Share of wasted copies among the last few thousand outcomes; 0 before the first.
  double wasted_share() const;

private:
  /// Which part of the stated confidence comes true; at most 1.
  double honesty() const;

  prefetch_limits limits_;
  double bytes_ = 0; // left in the bucket
  timestamp filled_{};
  double open_ = 0, open_said_ = 0;           // copies without an outcome yet, and the sum of their confidences
  double outcomes_ = 0, used_ = 0, said_ = 0; // these fade; said_: the sum of the confidences of outcomes_
};

} // namespace gnomon
