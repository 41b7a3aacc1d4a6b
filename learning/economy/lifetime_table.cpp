#include "learning/economy/lifetime_table.hpp"

namespace gnomon::learning {

namespace {

/// The lifetime of least expected cost among the ends of the bins.
double best_lifetime(const return_curve& curve, const copy_costs& costs) {
  double best = 0, least = costs.miss_usd;
  for (size_t b = 0; b < gap_bins::count; ++b) {
    const double seconds = gap_bins::end(b);
    const double cost = costs.rate() * curve.held(seconds) + costs.miss_usd * curve.left(seconds);
    if (cost < least) {
      least = cost;
      best = seconds;
    }
  }
  return best;
}

} // namespace

lifetime lifetime_from(const return_curve* curve, const copy_costs& costs, double trust) {
  lifetime result;
  result.break_even_s = result.wish_s = costs.break_even_s();
  if (curve != nullptr)
    result.wish_s = best_lifetime(*curve, costs);
  result.trust = trust;
  result.keep_s = bounded_lifetime(result.wish_s, result.break_even_s, trust);
  if (curve != nullptr)
    result.worth = worth_of({result.keep_s, 1 - curve->left(result.keep_s), curve->held(result.keep_s)}, costs);
  return result;
}

lifetime_table::lifetime_table(gap_table gaps, std::vector<double> weights)
    : gaps_(std::make_shared<const gap_table>(std::move(gaps))), weights_(std::move(weights)) {}

lifetime lifetime_table::keep(const gap_kind& kind, const copy_costs& costs, double draw) const {
  size_t expert = 0;
  while (expert + 1 < weights_.size() && draw >= weights_[expert])
    draw -= weights_[expert++];
  return lifetime_from(gaps_ ? gaps_->curve(kind) : nullptr, costs, trusts[expert]);
}

} // namespace gnomon::learning
