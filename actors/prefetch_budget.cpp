#include "actors/prefetch_budget.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr double burst_seconds = 10;
constexpr double fade = 1 - 1.0 / 200; // outcomes remembered
constexpr double enough_outcomes = 20; // before the threshold moves
constexpr double step = 0.005;
constexpr double highest = 0.95;

} // namespace

prefetch_budget::prefetch_budget(const prefetch_limits& limits)
    : limits_(limits), threshold_(limits.confidence),
      bytes_(burst_seconds * static_cast<double>(limits.bytes_per_second)) {}

bool prefetch_budget::take(uint64_t bytes, timestamp now) {
  const double rate = static_cast<double>(limits_.bytes_per_second);
  if (filled_ != timestamp{} && now > filled_)
    bytes_ = std::min(bytes_ + rate * std::chrono::duration<double>(now - filled_).count(), burst_seconds * rate);
  filled_ = now;
  if (bytes_ <= 0)
    return false;
  bytes_ -= static_cast<double>(bytes);
  return true;
}

void prefetch_budget::correct(uint64_t expected, uint64_t actual) {
  bytes_ += static_cast<double>(expected) - static_cast<double>(actual);
}

void prefetch_budget::settle(bool used) {
  outcomes_ = outcomes_ * fade + 1;
  wasted_ = wasted_ * fade + (used ? 0 : 1);
  if (outcomes_ < enough_outcomes)
    return;
  // Back more slowly than up: waste is what was promised to stay within a bound.
  threshold_ += wasted_share() > limits_.waste ? 2 * step : -step;
  threshold_ = std::clamp(threshold_, limits_.confidence, highest);
}

double prefetch_budget::wasted_share() const {
  return outcomes_ > 0 ? wasted_ / outcomes_ : 0;
}

} // namespace gnomon
