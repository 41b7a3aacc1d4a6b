#pragma once

#include "learning/economy/copy_value.hpp"
#include "learning/economy/hedge.hpp"

#include <array>
#include <cstdint>
#include <unordered_map>

namespace gnomon::learning {

/// How much more than its cost a copy made ahead must be expected to save. To wait is worth something: the next read
/// elsewhere tells more about an item than the last one did. How much shows only afterwards, so each factor is followed
/// as if it had decided, and Hedge weighs them by what they would have cost. The factor that decides is their weighted
/// geometric mean. To draw one for each decision would be less cautious than any of them is meant to be: an item is
/// decided about many times, and the least factor among many draws would make the copy.
/// Not thread-safe.
class caution {
public:
  /// A copy, as `adaptive_lifetimes` names it.
  using copy_id = uint64_t;
  static constexpr std::array<double, 6> factors{1, 1.5, 2, 3, 5, 8};

  explicit caution(size_t max_open = 300'000) : max_open_(max_open), hedge_(factors.size()) {}

  /// True when the copy is worth making ahead, which would be kept for `keep_s` and is expected to save and to cost
  /// what `worth` says. The read that it would spare costs `miss_usd`. `now` is in seconds and should not go back.
  bool worthwhile(copy_id copy, const copy_worth& worth, double keep_s, double miss_usd, double now);
  /// The item was read there.
  void read(copy_id copy, double now);

  /// The factor that decides now.
  double factor() const;
  /// By factor: how much each is believed.
  std::vector<double> weights() const {
    return hedge_.weights();
  }

private:
  struct waiting {
    float miss_usd = 0;
    uint8_t made = 0;   // bit k: factor k would have made the copy
    double until_s = 0; // when the last of these would have gone
  };
  void count();

  size_t max_open_;
  hedge hedge_;
  std::unordered_map<copy_id, waiting> open_;
  std::array<double, factors.size()> charges_{};
  size_t counted_ = 0;
};

} // namespace gnomon::learning
