#pragma once

#include "learning/economy/hedge.hpp"

#include <array>
#include <cstdint>
#include <unordered_map>

namespace gnomon::learning {

/// How much more than its cost a copy made ahead must be expected to save. To wait is worth something: the next read
/// elsewhere tells more about an item than the last one did. How much shows only afterwards, so each factor is followed
/// as if it had decided, and Hedge chooses among them by what they would have cost. Not thread-safe.
class caution {
public:
  /// A copy, as `adaptive_lifetimes` names it.
  using copy_id = uint64_t;
  static constexpr std::array<double, 6> factors{1, 1.5, 2, 3, 5, 8};

  explicit caution(size_t max_open = 300'000) : max_open_(max_open), hedge_(factors.size()) {}

  /// True when a copy is worth making ahead that is expected to save `saved_usd` and to cost `spent_usd`. The read that
  /// it would spare costs `miss_usd`.
  bool worthwhile(copy_id copy, double saved_usd, double spent_usd, double miss_usd);
  /// The item was read there.
  void read(copy_id copy);

  /// By factor: how much each is believed.
  std::vector<double> weights() const {
    return hedge_.weights();
  }

private:
  struct waiting {
    float miss_usd = 0;
    uint8_t made = 0; // bit k: factor k would have made the copy
  };
  void count();

  size_t max_open_;
  hedge hedge_;
  std::unordered_map<copy_id, waiting> open_;
  std::array<double, factors.size()> charges_{};
  size_t counted_ = 0;
};

} // namespace gnomon::learning
