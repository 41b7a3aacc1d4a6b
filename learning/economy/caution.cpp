#include "learning/economy/caution.hpp"

namespace gnomon::learning {

namespace {

constexpr size_t round = 500; // events for which Hedge is charged at once

} // namespace

bool caution::worthwhile(copy_id copy, double saved_usd, double spent_usd, double miss_usd) {
  if (saved_usd <= spent_usd) // no factor would make it
    return false;
  if (open_.size() >= max_open_)
    open_.erase(open_.begin()); // as good as random
  auto& ghost = open_[copy];
  ghost.miss_usd = static_cast<float>(miss_usd);
  for (size_t k = 0; k < factors.size(); ++k)
    if (const auto bit = static_cast<uint8_t>(1u << k); (ghost.made & bit) == 0 && saved_usd > factors[k] * spent_usd) {
      ghost.made |= bit;
      charges_[k] += spent_usd;
    }
  count();
  return saved_usd > factors[hedge_.draw()] * spent_usd;
}

void caution::read(copy_id copy) {
  auto known = open_.find(copy);
  if (known == open_.end())
    return;
  for (size_t k = 0; k < factors.size(); ++k)
    if ((known->second.made & 1u << k) == 0)
      charges_[k] += known->second.miss_usd;
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
