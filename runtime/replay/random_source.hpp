#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace gnomon::replay {

/// A seeded stream of random numbers that is the same on every machine (SplitMix64; the standard library's
/// distributions are not). Not thread-safe.
class random_source {
public:
  explicit random_source(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    auto x = state_ += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }
  /// In [0, 1).
  double uniform() {
    return static_cast<double>(next() >> 11) * 0x1p-53;
  }
  /// In [0, n).
  size_t below(size_t n) {
    return static_cast<size_t>(uniform() * static_cast<double>(n));
  }
  bool chance(double probability) {
    return uniform() < probability;
  }
  /// An index drawn in proportion to its weight.
  size_t weighted(std::span<const double> weights) {
    double total = 0;
    for (auto weight : weights)
      total += weight;
    auto left = uniform() * total;
    for (size_t i = 0; i + 1 < weights.size(); ++i)
      if ((left -= weights[i]) < 0)
        return i;
    return weights.size() - 1;
  }

private:
  uint64_t state_;
};

/// Draws indices in proportion to fixed weights, in logarithmic time.
class weighted_choice {
public:
  explicit weighted_choice(std::span<const double> weights) : sums_(weights.size()) {
    std::partial_sum(weights.begin(), weights.end(), sums_.begin());
  }
  /// Among the first `n` of them.
  size_t draw(random_source& random, size_t n) const {
    auto end = sums_.begin() + static_cast<std::ptrdiff_t>(n);
    auto found = std::upper_bound(sums_.begin(), end, random.uniform() * sums_[n - 1]);
    return static_cast<size_t>(std::min(found, end - 1) - sums_.begin());
  }
  size_t draw(random_source& random) const {
    return draw(random, sums_.size());
  }

private:
  std::vector<double> sums_;
};

} // namespace gnomon::replay
