#pragma once

#include "learning/economy/copy_value.hpp"
#include "learning/economy/gap_table.hpp"

#include <array>
#include <memory>
#include <vector>

/// How long a copy is worth keeping after a read, as far as that was learned up to some time.
namespace gnomon::learning {

/// How far a lifetime may lie from the break-even time: the `a` of `bounded_lifetime`.
inline constexpr std::array<double, 4> trusts{1, 0.5, 0.25, 0.1};

/// A lifetime, and why.
struct lifetime {
  double keep_s = 0;
  double wish_s = 0;       // what the distribution of gaps alone would have; the break-even time while it is unknown
  double break_even_s = 0; // keep_s lies within trust * this and this / trust
  double trust = 1;
  copy_worth worth; // of keep_s; zeroes while the distribution is unknown
};

/// The lifetime of least expected cost, rate * E[min(gap, T)] + miss * P(gap > T), within the bounds of `trust`.
/// `curve` is null while nothing is known.
lifetime lifetime_from(const return_curve* curve, const copy_costs& costs, double trust);

/// What `adaptive_lifetimes` knew at some time. Immutable: many threads may ask it.
class lifetime_table {
public:
  lifetime_table() = default; // knows nothing
  /// `weights`: how much each of `trusts` is believed; they sum to 1.
  lifetime_table(gap_table gaps, std::vector<double> weights);

  /// `draw`, from 0 to below 1, chooses among the trusts by their weights.
  lifetime keep(const gap_kind& kind, const copy_costs& costs, double draw) const;

private:
  std::shared_ptr<const gap_table> gaps_;
  std::vector<double> weights_;
};

} // namespace gnomon::learning
