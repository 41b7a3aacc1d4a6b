#pragma once

#include "learning/demand/prefetch_threshold.hpp"
#include "runtime/base/clock.hpp"

#include <cstdint>

namespace gnomon {

struct prefetch_limits {
  double confidence = 0.3;              // the threshold never falls below this
  double waste = 0.6;                   // the largest share of the copies that may go unread
  uint64_t bytes_per_second = 4u << 20; // in the long run
};

/// What copies ahead of their first read may cost: a threshold that keeps the waste within its bound, and a bucket that
/// limits the bytes. It fills at the given rate and holds ten seconds of it. Pure: the caller gives the time. Not
/// thread-safe.
class prefetch_budget : public learning::prefetch_threshold {
public:
  explicit prefetch_budget(const prefetch_limits& limits);

  /// Takes the bytes of one copy out of the bucket. False, and nothing is taken, when the bucket is empty. A copy
  /// larger than what is left passes and leaves a debt.
  bool take(uint64_t bytes, timestamp now);
  /// The copy turned out to have `actual` bytes; `expected` were taken.
  void correct(uint64_t expected, uint64_t actual);

private:
  double rate_;      // bytes a second
  double bytes_ = 0; // left in the bucket
  timestamp filled_{};
};

} // namespace gnomon
