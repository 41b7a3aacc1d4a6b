#pragma once

#include "learning/base/archive.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace gnomon::learning {

/// Chooses among experts by what each would have cost so far: Hedge (Freund and Schapire 1997), with the learning rate
/// of AdaHedge (de Rooij et al. 2014), which needs to know neither the range of the costs nor their number. Old costs
/// fade, so that it follows changes. Deterministic. Not thread-safe.
class hedge {
public:
  explicit hedge(size_t experts) : losses_(experts, 0.0) {}

  /// What each expert has cost in a round, in any one unit.
  void charge(std::span<const double> costs);
  /// Sums to 1.
  std::vector<double> weights() const;
  /// An expert, drawn by weight from a sequence of low discrepancy.
  size_t draw();

  void save(writer& out) const;
  void load(reader& in);

private:
  static constexpr double memory = 0.95; // of the costs, a round
  std::vector<double> losses_;
  double gap_ = 0; // cumulative mixability gap
  double position_ = 0.5;
};

} // namespace gnomon::learning
