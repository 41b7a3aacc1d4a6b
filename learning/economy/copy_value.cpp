#include "learning/economy/copy_value.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::learning {

namespace {

constexpr double forever_s = 100 * 365.25 * 86'400; // a copy that costs nothing to hold

} // namespace

double copy_costs::break_even_s() const {
  return rate() > 0 ? std::min(miss_usd / rate(), forever_s) : forever_s;
}

std::string copy_worth::explain() const {
  return fmt::format("kept for {:.0f} s; a read by then, at {:.0f}%, saves ${:.3g}; it costs ${:.3g}", keep_s,
                     100 * returned, saved_usd, spent_usd);
}

copy_worth worth_of(const return_chance& chance, const copy_costs& costs) {
  return {chance.within_s, chance.returned, chance.returned * costs.miss_usd,
          costs.make_usd + chance.held_s * costs.rate()};
}

copy_worth best_worth(std::span<const return_chance> chances, const copy_costs& costs) {
  copy_worth best;
  for (const auto& chance : chances)
    if (auto worth = worth_of(chance, costs); worth.net_usd() > best.net_usd())
      best = worth;
  return best;
}

double bounded_lifetime(double wish_s, double break_even_s, double trust) {
  return std::clamp(wish_s, trust * break_even_s, break_even_s / trust);
}

} // namespace gnomon::learning
