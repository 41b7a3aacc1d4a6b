#pragma once

#include "learning/economy/return_curve.hpp"

#include <functional>
#include <span>
#include <string>

/// The one comparison by which a copy is made, kept, refreshed, moved or dropped: what it will save against what it
/// will cost. Pure.
namespace gnomon::learning {

/// The prices of one copy of one item in one region, in US dollars.
struct copy_costs {
  double hold_usd_per_s = 0;   // its storage
  double update_usd_per_s = 0; // sending it the updates that are expected
  double miss_usd = 0;         // a read without it: moving the value, and the reader's waiting
  double make_usd = 0;         // moving it here now; 0 for a copy that is here

  double rate() const {
    return hold_usd_per_s + update_usd_per_s;
  }
  /// How long holding costs as much as one miss, in seconds: the break-even time of ski rental.
  double break_even_s() const;
};

/// The chance of a read within a time from now, and how long the copy is held until then or the read.
struct return_chance {
  double within_s = 0;
  double returned = 0; // P(gap <= within_s)
  double held_s = 0;   // E[min(gap, within_s)]
};

/// The sum behind a copy that is kept for `keep_s` without a read.
struct copy_worth {
  double keep_s = 0;
  double returned = 0;  // the chance that it is read by then
  double saved_usd = 0; // misses that it spares
  double spent_usd = 0; // making, holding and updating it

  double net_usd() const {
    return saved_usd - spent_usd;
  }
  /// "a read within 3 h at 42% saves $0.0000012 of $0.0000028; holding and updates $0.0000001".
  std::string explain() const;
};

/// The sum for one lifetime.
copy_worth worth_of(const return_chance& chance, const copy_costs& costs);

/// The lifetime, of those at which the chances are given, whose sum is best. For a copy that is here it is the
/// minimum of rate * E[min(gap, T)] + miss * P(gap > T). No lifetime at all, with a sum of 0, when none is worth its
/// cost.
copy_worth best_worth(std::span<const return_chance> chances, const copy_costs& costs);

/// `wish` within a * break-even and break-even / a, where `trust` is a, above 0 up to 1. Whatever the wish, a gap
/// then costs at most 1 + 1/a times what the best decision in hindsight would have (Karlin et al. 1990 for a = 1;
/// learning-augmented ski rental after Purohit et al. 2018).
double bounded_lifetime(double wish_s, double break_even_s, double trust);

} // namespace gnomon::learning
