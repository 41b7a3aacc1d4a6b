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
/// Ways to choose a lifetime: one for each trust, and one that keeps all copies as long as the last of them may.
inline constexpr size_t lifetime_experts = trusts.size() + 1;

/// A lifetime, and why.
struct lifetime {
  double keep_s = 0;
  double wish_s = 0;       // what the distribution of gaps alone would have; the break-even time while it is unknown
  double break_even_s = 0; // keep_s lies within trust * this and this / trust
  double trust = 1;
  copy_worth worth; // of keep_s; zeroes while the distribution is unknown
};

/// The bounds that an expert keeps.
double trust_of(size_t expert);
/// How long an expert keeps a copy for which the distribution of gaps would have `wish_s`.
double keep_of(size_t expert, double wish_s, double break_even_s);
/// An expert's lifetime for a copy that was just read. The wish is the one of least expected cost,
/// rate * E[min(gap, T)] + miss * P(gap > T). `curve` is null while nothing is known.
lifetime lifetime_from(const return_curve* curve, const copy_costs& costs, size_t expert);
/// How much longer an expert keeps a copy that has been idle for `idle_s`, when its lifetime has run out; 0: it goes.
/// All in all it is kept for at most break-even / a, so the bound holds.
double extension_from(const return_curve* curve, const copy_costs& costs, size_t expert, double idle_s);

/// What `adaptive_lifetimes` knew at some time. Immutable: many threads may ask it.
class lifetime_table {
public:
  lifetime_table() = default; // knows nothing
  /// `weights`: how much each expert is believed; they sum to 1.
  lifetime_table(gap_table gaps, std::vector<double> weights);

  /// Of a copy that was just read. `draw`, from 0 to below 1, chooses among the experts by their weights.
  lifetime keep(const gap_kind& kind, const copy_costs& costs, double draw) const;
  /// How much longer a copy is kept that has been idle for `idle_s`; 0: it goes.
  double extend(const gap_kind& kind, const copy_costs& costs, double idle_s, double draw) const;

private:
  size_t expert_at(double draw) const;

  std::shared_ptr<const gap_table> gaps_;
  std::vector<double> weights_;
};

} // namespace gnomon::learning
