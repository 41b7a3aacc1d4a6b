#include "learning/economy/lifetimes.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon::learning {

namespace {

constexpr size_t least_between_fits = 500;
constexpr double pace_share = 0.5; // of the last gap in the average

} // namespace

void adaptive_lifetimes::begin(open_gap& gap, const gap_kind& kind, double now) {
  gap.leaf = gaps_.leaf_of(kind);
  gap.halvings = gaps_.halvings(gap.leaf);
  gap.since = now;
  gap.charged_s = 0;
}

float adaptive_lifetimes::weight_of(const open_gap& gap) {
  return std::exp2(-static_cast<float>(gaps_.halvings(gap.leaf) - gap.halvings));
}

void adaptive_lifetimes::charge_holding(open_gap& gap, double age) {
  if (gap.miss_usd == 0)
    return;
  const double rate = gap.miss_usd / gap.break_even_s;
  for (size_t k = 0; k < lifetime_experts; ++k) {
    const double keep = keep_of(k, gap.wish_s, gap.break_even_s);
    charges_[k] += rate * (std::min(age, keep) - std::min<double>(gap.charged_s, keep));
  }
  gap.charged_s = static_cast<float>(age);
}

void adaptive_lifetimes::end(open_gap& gap, double now) {
  const double age = std::max(0.0, now - gap.since);
  gaps_.ended(gap.leaf, age, weight_of(gap));
  if (gap.reads > 0)
    gap.pace_s = static_cast<float>(gap.pace_s > 0 ? gap.pace_s + pace_share * (age - gap.pace_s) : std::max(age, 1.0));
  charge_holding(gap, age);
  for (size_t k = 0; k < lifetime_experts; ++k)
    if (gap.miss_usd > 0 && age > keep_of(k, gap.wish_s, gap.break_even_s))
      charges_[k] += gap.miss_usd;
}

void adaptive_lifetimes::expect(copy_id copy, const gap_kind& kind, double now) {
  make_room(now);
  if (auto [place, fresh] = open_->try_emplace(copy); fresh)
    begin(place->second, kind, now);
}

lifetime adaptive_lifetimes::read(copy_id copy, const gap_kind& kind, const copy_costs& costs, double now) {
  fit_when_due(now);
  make_room(now);
  auto [place, fresh] = open_->try_emplace(copy);
  auto& gap = place->second;
  if (!fresh)
    end(gap, now);
  ++since_fit_;
  gap.reads = std::max(gap.reads + 1, kind.reads);
  begin(gap, {kind.type, kind.region, kind.bytes, gap.reads, gap.pace_s}, now);

  const auto result = lifetime_from(gaps_.curve(gap.leaf), costs, hedge_.draw());
  gap.wish_s = static_cast<float>(result.wish_s);
  gap.break_even_s = static_cast<float>(result.break_even_s);
  gap.miss_usd = result.break_even_s > 0 ? static_cast<float>(costs.miss_usd) : 0;
  return result;
}

double adaptive_lifetimes::extend(copy_id copy, const copy_costs& costs, double now) {
  auto known = open_->find(copy);
  if (known == open_->end())
    return 0;
  const double idle = std::max(0.0, now - known->second.since);
  return extension_from(gaps_.curve(known->second.leaf), costs, hedge_.draw(), idle);
}

void adaptive_lifetimes::forget(copy_id copy, double now) {
  auto known = open_->find(copy);
  if (known == open_->end())
    return;
  auto& gap = known->second;
  const double age = std::max(0.0, now - gap.since);
  gaps_.cut(gap.leaf, age, weight_of(gap));
  charge_holding(gap, age);
  open_->erase(known);
}

/// Beyond the limit, gaps are given up in the order of the table, which is as good as random.
void adaptive_lifetimes::make_room(double now) {
  if (open_->size() >= std::max<size_t>(config_.max_open, 1))
    forget(open_->begin()->first, now);
}

void adaptive_lifetimes::fit_when_due(double now) {
  if (since_fit_ < std::max(least_between_fits, open_->size() / 4))
    return;
  since_fit_ = 0;
  ++fits_;
  std::vector<gap_table::open_age> ages;
  ages.reserve(open_->size());
  for (auto& [copy, gap] : *open_) {
    const double age = std::max(0.0, now - gap.since);
    ages.push_back({gap.leaf, static_cast<float>(age), weight_of(gap)});
    charge_holding(gap, age);
  }
  gaps_.fit(ages, config_.memory);
  hedge_.charge(charges_);
  charges_.fill(0);
}

std::vector<return_chance> adaptive_lifetimes::chances(const gap_kind& kind, double idle_s) {
  std::vector<return_chance> result;
  const auto* curve = gaps_.curve(gaps_.leaf_of(kind));
  if (curve == nullptr)
    return result;
  const curve_ahead ahead{*curve, idle_s};
  for (double seconds = 1800; seconds < gap_bins::end(gap_bins::count - 1); seconds *= 2)
    result.push_back({seconds, ahead.returned(seconds), ahead.held(seconds)});
  return result;
}

adaptive_lifetimes::standing adaptive_lifetimes::of(copy_id copy, double now) const {
  auto known = open_->find(copy);
  if (known == open_->end())
    return {};
  return {known->second.reads, known->second.pace_s, std::max(0.0, now - known->second.since)};
}

void adaptive_lifetimes::save(writer& out) const {
  gaps_.save(out);
  hedge_.save(out);
  out.put(static_cast<uint64_t>(open_->size()));
  for (const auto& [copy, gap] : *open_) {
    out.put(copy);
    out.put(gap);
  }
}

void adaptive_lifetimes::load(reader& in) {
  gaps_.load(in);
  hedge_.load(in);
  open_->clear();
  uint64_t count = 0;
  in.get(count);
  for (uint64_t k = 0; k < count && in.good(); ++k) {
    copy_id copy = 0;
    open_gap gap;
    in.get(copy);
    in.get(gap);
    // A gap with impossible numbers would spoil every sum that it enters.
    const bool sound = std::isfinite(gap.since) && gap.wish_s >= 0 && gap.break_even_s >= 0 && gap.miss_usd >= 0
                       && gap.charged_s >= 0 && gap.pace_s >= 0 && gap.halvings <= gaps_.halvings(gap.leaf)
                       && (gap.miss_usd == 0 || gap.break_even_s > 0);
    if (!sound)
      in.fail();
    else
      open_->emplace(copy, gap);
  }
  if (!in.good())
    *this = adaptive_lifetimes{config_};
}

} // namespace gnomon::learning
