#include "actors/prediction/prefetch_budget.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr double burst_seconds = 10;

} // namespace

prefetch_budget::prefetch_budget(const prefetch_limits& limits)
    : prefetch_threshold(limits.confidence, limits.waste), rate_(static_cast<double>(limits.bytes_per_second)),
      bytes_(burst_seconds * rate_) {}

bool prefetch_budget::take(uint64_t bytes, timestamp now) {
  if (filled_ != timestamp{} && now > filled_)
    bytes_ = std::min(bytes_ + rate_ * std::chrono::duration<double>(now - filled_).count(), burst_seconds * rate_);
  filled_ = now;
  if (bytes_ <= 0)
    return false;
  bytes_ -= static_cast<double>(bytes);
  return true;
}

void prefetch_budget::correct(uint64_t expected, uint64_t actual) {
  bytes_ += static_cast<double>(expected) - static_cast<double>(actual);
}

} // namespace gnomon
