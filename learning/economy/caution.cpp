#include "learning/economy/caution.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon::learning {

namespace {

constexpr size_t round = 300; // events for which Hedge is charged at once

} // namespace

bool caution::worthwhile(copy_id copy, const copy_worth& worth, double keep_s, double miss_usd, double now) {
  if (worth.net_usd() <= 0) // no factor would make it
    return false;
  if (open_.size() >= max_open_)
    open_.erase(open_.begin()); // as good as random
  auto& ghost = open_[copy];
  if (ghost.until_s <= now)
    ghost.made = 0; // it would have to be made again
  ghost.miss_usd = static_cast<float>(miss_usd);
  for (size_t k = 0; k < factors.size(); ++k)
    if (const auto bit = static_cast<uint8_t>(1u << k);
        (ghost.made & bit) == 0 && worth.saved_usd > factors[k] * worth.spent_usd) {
      ghost.made |= bit;
      ghost.until_s = std::max(ghost.until_s, now + keep_s);
      charges_[k] += worth.spent_usd;
    }
  count();
  return worth.saved_usd > factor() * worth.spent_usd;
}

double caution::factor() const {
  const auto weight = hedge_.weights();
  double log_mean = 0;
  for (size_t k = 0; k < factors.size(); ++k)
    log_mean += weight[k] * std::log(factors[k]);
  return std::exp(log_mean);
}

void caution::read(copy_id copy, double now) {
  auto known = open_.find(copy);
  if (known == open_.end())
    return;
  const auto& ghost = known->second;
  for (size_t k = 0; k < factors.size(); ++k)
    if (ghost.until_s <= now || (ghost.made & 1u << k) == 0)
      charges_[k] += ghost.miss_usd;
  open_.erase(known);
  count();
}

void caution::count() {
  if (++counted_ % round != 0)
    return;
  hedge_.charge(charges_);
  charges_.fill(0);
}

} // namespace gnomon::learning
