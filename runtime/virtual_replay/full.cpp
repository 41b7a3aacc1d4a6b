#include "runtime/virtual_replay/full.hpp"

#include "runtime/base/ids.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::virtual_replay {

using namespace learning;

namespace {

constexpr double few_updates_s = 3600; // so that one update just after a read does not count as many, as in a node

adaptive_lifetimes::copy_id copy_of(const scene& on, uint32_t item, size_t region) {
  return uint64_t{item} * on.regions.size() + region;
}

/// The demand model looks two days ahead and sees what goes on elsewhere; what comes later follows from the gaps of
/// items of that kind.
std::vector<return_chance> merged(const demand_estimate& soon, std::vector<return_chance> gaps) {
  std::vector<return_chance> result;
  double before_s = 0, returned = 0, held = 0;
  auto add = [&](double within_s, double chance) {
    held += (within_s - before_s) * (1 - (returned + chance) / 2);
    before_s = within_s;
    returned = chance;
    result.push_back({within_s, returned, held});
  };
  for (size_t h = 0; h < demand_horizons.size(); ++h)
    add(demand_horizons[h], soon[h]);
  const double left = 1 - returned;
  auto last = std::find_if(gaps.begin(), gaps.end(), [&](auto& g) { return g.within_s >= before_s; });
  if (last == gaps.end() || last->returned >= 1)
    return result;
  const double known = last->returned;
  for (auto gap = last + 1; gap != gaps.end(); ++gap)
    add(gap->within_s, 1 - left * (1 - gap->returned) / (1 - known));
  return result;
}

} // namespace

full_policy::full_policy(const scene& on, bool ahead)
    : on_(on), lifetimes_({.max_open = on.items.size() * on.regions.size() + 1}),
      caution_(on.items.size() * on.regions.size() + 1), known_(on.items.size(), 0), updates_(on.items.size(), 0),
      seen_(on.items.size() * on.regions.size(), 0) {
  if (ahead)
    demand_.emplace(on);
}

double full_policy::born(uint32_t item) const {
  return on_.reads[on_.first_read[item]].t;
}

copy_costs full_policy::costs_of(const copies& world, uint32_t item, size_t region, double now) const {
  const auto other = world.nearest(item, region, now);
  return {.hold_usd_per_s = on_.hold_usd_per_s(item, region),
          .update_usd_per_s = rates_.per_s(updates_[item], now - born(item), now) * on_.move_usd(item, on_.origin),
          .miss_usd = on_.move_usd(item, other) + on_.waiting_usd(region, other)};
}

/// An item that nobody reads any more is often not updated any more either: a copy that has been idle counts the
/// updates since its last read, where these came more slowly.
copy_costs full_policy::costs_of_idle(const copies& world, uint32_t item, size_t region, double now) const {
  auto costs = costs_of(world, item, region, now);
  const auto copy = copy_of(on_, item, region);
  const double lately = updates_[item] - seen_[copy], idle_s = lifetimes_.of(copy, now).idle_s;
  costs.update_usd_per_s =
      std::min(costs.update_usd_per_s, lately * on_.move_usd(item, on_.origin) / (idle_s + few_updates_s));
  return costs;
}

gap_kind full_policy::kind_of(uint32_t item, size_t region) const {
  return {data_type(on_.items[item]), region, static_cast<uint64_t>(on_.bytes[item])};
}

void full_policy::read(copies& world, const scene_read& read, size_t, bool measured) {
  const auto costs = costs_of(world, read.item, read.region, read.t);
  const auto copy = copy_of(on_, read.item, read.region);
  seen_[copy] = updates_[read.item];
  const auto life = lifetimes_.read(copy, kind_of(read.item, read.region), costs, read.t);
  world.keep(read.item, read.region, read.t, life.keep_s);
  const bool is_new = !std::exchange(known_[read.item], true);
  if (is_new)
    rates_.born(read.t);
  if (!demand_)
    return;
  demand_->read(read);
  caution_.read(copy, read.t);
  if (is_new)
    for (size_t region = 0; region < on_.regions.size(); ++region)
      lifetimes_.expect(copy_of(on_, read.item, region), kind_of(read.item, region), read.t);
  demand_->train_when_due(++reads_);
  if (demand_->due(read.item, read.t))
    consider(world, read, measured);
}

/// Makes copies of the item where they pay for themselves.
void full_policy::consider(copies& world, const scene_read& read, bool measured) {
  const auto& estimates = demand_->estimate(read.item, read.t);
  for (size_t region = 0; region < on_.regions.size(); ++region) {
    if (world.has(read.item, region, read.t))
      continue;
    auto costs = costs_of(world, read.item, region, read.t);
    costs.make_usd = on_.move_usd(read.item, world.cheapest(read.item, region, read.t));
    const auto before = lifetimes_.of(copy_of(on_, read.item, region), read.t);
    auto kind = kind_of(read.item, region);
    kind.reads = before.reads;
    kind.pace_s = before.pace_s;
    const auto chances = merged(estimates[region], lifetimes_.chances(kind, before.idle_s));
    const auto worth = best_worth(chances, costs);
    const double keep_s = lifetimes_.bounded(worth.keep_s, costs);
    if (caution_.worthwhile(copy_of(on_, read.item, region), worth, keep_s, costs.miss_usd, read.t))
      world.push(read.item, region, read.t, keep_s, measured);
  }
}

void full_policy::updated(const scene_update& update) {
  rates_.updated();
  ++updates_[update.item];
}

double full_policy::expired(copies& world, uint32_t item, size_t region, double now) {
  return lifetimes_.extend(copy_of(on_, item, region), costs_of_idle(world, item, region, now), now);
}

std::string full_policy::notes() const {
  std::string text = "trust in learned lifetimes:";
  const auto weights = lifetimes_.trust_weights();
  for (size_t k = 0; k < trusts.size(); ++k)
    text += fmt::format(" {:g}: {:.2f}", trusts[k], weights[k]);
  text += fmt::format(" keep all: {:.2f}", weights.back());
  if (!demand_)
    return text;
  text += "; a copy ahead must save so many times its cost:";
  const auto factors = caution_.weights();
  for (size_t k = 0; k < factors.size(); ++k)
    text += fmt::format(" {:g}: {:.2f}", caution::factors[k], factors[k]);
  return text;
}

} // namespace gnomon::virtual_replay
