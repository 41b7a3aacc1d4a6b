#pragma once

#include <algorithm>
#include <cstdint>

namespace gnomon::learning {

/// How often an item will be updated: as often as until now, and a new one as often as the others were so far. Without
/// the others a copy of a new item would seem to cost no updates. Times are in seconds. Not thread-safe.
class update_rates {
public:
  /// An item came to be.
  void born(double now) {
    ++items_;
    births_s_ += now;
  }
  /// One of the items was updated.
  void updated() {
    ++updates_;
  }
  /// Updates a second of an item that had so many of them in `age_s`.
  double per_s(uint32_t updates, double age_s, double now) const {
    return (updates + mean(now) * prior_s) / (std::max(0.0, age_s) + prior_s);
  }

private:
  static constexpr double prior_s = 3600; // of an item's age, as much as the others count

  double mean(double now) const {
    const double ages_s = static_cast<double>(items_) * now - births_s_;
    return static_cast<double>(updates_) / std::max(ages_s, prior_s);
  }

  uint64_t items_ = 0, updates_ = 0;
  double births_s_ = 0; // the sum of when the items came to be
};

} // namespace gnomon::learning
