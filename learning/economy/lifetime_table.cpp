#include "learning/economy/lifetime_table.hpp"

#include <algorithm>

namespace gnomon::learning {

namespace {

/// The lifetime of least expected cost among the ends of the bins, counted from the last read, for a copy that has
/// been idle for `age`.
double best_lifetime(const return_curve& curve, const copy_costs& costs, double age = 0) {
  auto cost_of = [&](double seconds) {
    return costs.rate() * curve.held(seconds) + costs.miss_usd * curve.left(seconds);
  };
  double best = age, least = cost_of(age);
  for (size_t b = age > 0 ? gap_bins::of(age) : 0; b < gap_bins::count; ++b) {
    const double seconds = gap_bins::end(b);
    const double cost = cost_of(seconds);
    if (cost < least && seconds > age) {
      least = cost;
      best = seconds;
    }
  }
  return best;
}

} // namespace

double trust_of(size_t expert) {
  return trusts[std::min(expert, trusts.size() - 1)];
}

double keep_of(size_t expert, double wish_s, double break_even_s) {
  const double trust = trust_of(expert);
  return bounded_lifetime(expert < trusts.size() ? wish_s : break_even_s / trust, break_even_s, trust);
}

lifetime lifetime_from(const return_curve* curve, const copy_costs& costs, size_t expert) {
  lifetime result;
  result.break_even_s = result.wish_s = costs.break_even_s();
  if (curve != nullptr)
    result.wish_s = best_lifetime(*curve, costs);
  result.trust = trust_of(expert);
  result.keep_s = keep_of(expert, result.wish_s, result.break_even_s);
  if (curve != nullptr)
    result.worth = worth_of({result.keep_s, 1 - curve->left(result.keep_s), curve->held(result.keep_s)}, costs);
  return result;
}

double extension_from(const return_curve* curve, const copy_costs& costs, size_t expert, double idle_s) {
  if (curve == nullptr)
    return 0;
  const double most = costs.break_even_s() / trust_of(expert);
  const double wish = expert < trusts.size() ? best_lifetime(*curve, costs, idle_s) : most;
  return std::max(0.0, std::min(wish, most) - idle_s);
}

lifetime_table::lifetime_table(gap_table gaps, std::vector<double> weights)
    : gaps_(std::make_shared<const gap_table>(std::move(gaps))), weights_(std::move(weights)) {}

size_t lifetime_table::expert_at(double draw) const {
  size_t expert = 0;
  while (expert + 1 < weights_.size() && draw >= weights_[expert])
    draw -= weights_[expert++];
  return expert;
}

lifetime lifetime_table::keep(const gap_kind& kind, const copy_costs& costs, double draw) const {
  return lifetime_from(gaps_ ? gaps_->curve(kind) : nullptr, costs, expert_at(draw));
}

double lifetime_table::extend(const gap_kind& kind, const copy_costs& costs, double idle_s, double draw) const {
  return extension_from(gaps_ ? gaps_->curve(kind) : nullptr, costs, expert_at(draw), idle_s);
}

} // namespace gnomon::learning
