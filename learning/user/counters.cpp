#include "learning/user/counters.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gnomon::learning {

namespace {

constexpr float first_keep = 0.998f, near_keep = 0.999f;
constexpr size_t ways = 4;
constexpr float largest_weight = 1e25f;

uint64_t pair_key(uint32_t earlier, uint32_t item) {
  return ((uint64_t{earlier} << 32) | item) + 1; // 0 marks a free row
}

uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

} // namespace

template <size_t N>
void successor_row<N>::add(uint32_t item, float weight, float keep) {
  total = total * keep + weight;
  size_t found = N, lightest = 0;
  for (size_t k = 0; k < used; ++k) {
    weights[k] *= keep;
    if (items[k] == item)
      found = k;
    if (weights[k] < weights[lightest])
      lightest = k;
  }
  if (found < N) {
    weights[found] += weight;
  } else if (used < N) {
    items[used] = item;
    weights[used++] = weight;
  } else if (weights[lightest] < weight) {
    items[lightest] = item;
    weights[lightest] = weight;
  } else {
    weights[lightest] -= 0.1f * weight;
  }
}

template <size_t N>
void successor_row<N>::subtract(uint32_t item, float weight) {
  for (size_t k = 0; k < used; ++k)
    if (items[k] == item) {
      const float taken = std::min(weight, weights[k]);
      weights[k] -= taken;
      total = std::max(0.0f, total - taken);
      if (weights[k] <= 1e-6f) {
        --used;
        items[k] = items[used];
        weights[k] = weights[used];
      }
      return;
    }
}

template <size_t N>
void successor_row<N>::remove(const std::vector<bool>& gone) {
  for (size_t k = used; k-- > 0;)
    if (items[k] < gone.size() && gone[items[k]])
      subtract(items[k], weights[k]);
}

template <size_t N>
void successor_row<N>::save(writer& out) const {
  out.put(total);
  out.put(static_cast<uint8_t>(used));
  for (size_t k = 0; k < used; ++k) {
    out.put(items[k]);
    out.put(weights[k]);
  }
}

template <size_t N>
void successor_row<N>::load(reader& in) {
  uint8_t count = 0;
  in.get(total);
  in.get(count);
  if (count > N)
    return in.fail();
  used = count;
  for (size_t k = 0; k < used; ++k) {
    in.get(items[k]);
    in.get(weights[k]);
  }
}

template struct successor_row<8>;
template struct successor_row<24>;
template struct successor_row<32>;
template struct successor_row<48>;

void decayed_weights::add(uint32_t item, double now) {
  if (item >= weights_.size())
    weights_.resize(std::max<size_t>(item + 1, weights_.size() * 5 / 4), 0.0f);
  if (total_ == 0)
    origin_ = now;
  newest_ = static_cast<float>(std::exp2(std::min(120.0, (now - origin_) / half_life_)));
  if (newest_ > largest_weight) {
    for (auto& w : weights_)
      w /= newest_;
    total_ /= newest_;
    origin_ = now;
    newest_ = 1;
  }
  weights_[item] += newest_;
  total_ += newest_;
  inverse_total_ = static_cast<float>(1 / total_);
  promote(item);
}

// All weights decay alike, so only an addition changes the order: the leaders are exact.
void decayed_weights::promote(uint32_t item) {
  auto at = std::find(leaders_.begin(), leaders_.end(), item);
  if (at == leaders_.end()) {
    if (leaders_.size() < leaders_kept)
      leaders_.push_back(item);
    else if (weights_[leaders_.back()] < weights_[item])
      leaders_.back() = item;
    else
      return;
    at = leaders_.end() - 1;
  }
  for (; at != leaders_.begin() && weights_[*(at - 1)] < weights_[*at]; --at)
    std::iter_swap(at - 1, at);
}

void decayed_weights::subtract(uint32_t item, float share_of_one) {
  if (item >= weights_.size())
    return;
  const float taken = std::min(weights_[item], share_of_one * newest_);
  weights_[item] -= taken;
  total_ -= taken;
}

void decayed_weights::erase(uint32_t item) {
  if (item >= weights_.size())
    return;
  total_ -= weights_[item];
  weights_[item] = 0;
  std::erase(leaders_, item);
}

float decayed_weights::at(uint32_t item, double when) const {
  if (item >= weights_.size())
    return 0;
  return static_cast<float>(weights_[item] * std::exp2((origin_ - when) / half_life_));
}

void decayed_weights::put(uint32_t item, float weight) {
  if (!(weight > 0) || !(weight < largest_weight))
    return;
  if (item >= weights_.size())
    weights_.resize(item + 1, 0.0f);
  weights_[item] = weight;
  total_ += weight;
  inverse_total_ = static_cast<float>(1 / total_);
  promote(item);
}

counter_config untimed_counters() {
  counter_config config;
  config.timed = false;
  config.trend_half_life = 4'000;
  config.fast_half_life = 20'000;
  config.slow_half_life = 400'000;
  return config;
}

counters::counters(const counter_config& config)
    : config_(config), trend_(config.trend_half_life), fast_(config.fast_half_life), slow_(config.slow_half_life) {
  const size_t rows = std::bit_ceil(std::max(config.pair_rows, ways));
  pair_keys_.assign(rows, 0);
  pairs_.assign(rows, {});
}

void counters::grow(uint32_t item) {
  if (item < first_.size())
    return;
  const size_t count = std::max<size_t>(item + 1, first_.size() * 5 / 4);
  first_.resize(count);
  near_.resize(count);
  before_.resize(count);
  near_totals_.resize(count, 0.0f);
  facts_.resize(count);
}

counters::pair_row& counters::pair_for(uint32_t earlier, uint32_t item) {
  const auto key = pair_key(earlier, item);
  const size_t set = mix(key) & (pairs_.size() - 1) & ~(ways - 1);
  size_t victim = set;
  for (size_t k = set; k < set + ways; ++k) {
    if (pair_keys_[k] == key)
      return pairs_[k];
    if (pairs_[k].total < pairs_[victim].total)
      victim = k;
  }
  // Worn down by every newcomer, a pair that was frequent once does not keep its place for ever.
  for (size_t k = set; k < set + ways; ++k)
    pairs_[k].total *= 0.95f;
  pair_keys_[victim] = key;
  pairs_[victim] = {};
  return pairs_[victim];
}

const counters::pair_row* counters::after_pair(uint32_t earlier, uint32_t item) const {
  const auto key = pair_key(earlier, item);
  const size_t set = mix(key) & (pairs_.size() - 1) & ~(ways - 1);
  for (size_t k = set; k < set + ways; ++k)
    if (pair_keys_[k] == key)
      return &pairs_[k];
  return nullptr;
}

void counters::observe(const user_history& before, uint32_t item, uint8_t region, uint32_t time) {
  grow(item);
  ++observed_;
  if (!before.empty()) {
    const auto last = before.ago(0).item;
    grow(last);
    first_[last].add(item, 1, first_keep);
    if (before.size() > 1)
      pair_for(before.ago(1).item, last).add(item, 1, first_keep);
    for (size_t k = 0; k < std::min(before.size(), window); ++k)
      if (auto other = before.ago(k).item; other != item) {
        grow(other);
        const float weight = 1.0f / static_cast<float>(k + 1);
        near_[other].add(item, weight, near_keep);
        near_totals_[other] = near_[other].total;
        before_[item].add(other, weight, near_keep);
      }
  }
  auto& facts = facts_[item];
  facts.first_seen = facts.first_seen == 0 ? time : std::min(facts.first_seen, time);
  facts.last_seen = std::max(facts.last_seen, time);
  const double now = config_.timed ? static_cast<double>(time) : static_cast<double>(observed_);
  now_ = std::max(now_, now);
  trend_.add(item, now);
  fast_.add(item, now);
  slow_.add(item, now);
  const size_t place = std::min<size_t>(region, config_.max_regions - 1);
  while (regions_.size() <= place)
    regions_.emplace_back(config_.fast_half_life);
  regions_[place].add(item, now);
}

void counters::forget(const user_history& history) {
  for (size_t k = 0; k < history.size(); ++k) {
    const auto item = history.ago(k).item;
    for (size_t back = 1; back <= window && k + back < history.size(); ++back)
      if (auto other = history.ago(k + back).item; other != item && other < near_.size()) {
        const float weight = 1.0f / static_cast<float>(back);
        near_[other].subtract(item, weight);
        near_totals_[other] = near_[other].total;
        before_[item].subtract(other, weight);
      }
    if (k + 1 < history.size()) {
      const auto last = history.ago(k + 1).item;
      first_[last].subtract(item, 1);
      if (k + 2 < history.size())
        if (auto row = const_cast<pair_row*>(after_pair(history.ago(k + 2).item, last)))
          row->subtract(item, 1);
    }
    for (auto weights : {&trend_, &fast_, &slow_})
      weights->subtract(item, 1);
  }
}

const item_facts& counters::facts(uint32_t item) const {
  static const item_facts none;
  return item < facts_.size() ? facts_[item] : none;
}

const decayed_weights& counters::in_region(uint8_t region) const {
  const size_t place = std::min<size_t>(region, config_.max_regions - 1);
  return place < regions_.size() ? regions_[place] : fast_;
}

void counters::prefetch(uint32_t item, uint8_t region) const {
  for (auto weights : {&trend_, &fast_, &slow_, &in_region(region)})
    weights->prefetch(item);
  if (item < facts_.size()) {
    __builtin_prefetch(&facts_[item]);
    __builtin_prefetch(&near_totals_[item]);
  }
}

void counters::prefetch_rows(uint32_t item) const {
  constexpr size_t line = 64;
  auto fetch = [](const void* row, size_t bytes) {
    for (size_t at = 0; at < bytes; at += line)
      __builtin_prefetch(static_cast<const char*>(row) + at);
  };
  if (item >= first_.size())
    return;
  fetch(&first_[item], sizeof first_[item]);
  fetch(&near_[item], sizeof near_[item]);
  fetch(&before_[item], sizeof before_[item]);
}

std::vector<decayed_weights*> counters::weights() {
  std::vector<decayed_weights*> all{&trend_, &fast_, &slow_};
  for (auto& region : regions_)
    all.push_back(&region);
  return all;
}

void counters::erase(uint32_t item) {
  for (auto weights : weights())
    weights->erase(item);
  if (item >= first_.size())
    return;
  first_[item] = {};
  near_[item] = {};
  before_[item] = {};
  near_totals_[item] = 0;
  facts_[item] = {};
}

void counters::sweep(const std::vector<bool>& gone, size_t begin, size_t end) {
  auto is_gone = [&](uint64_t item) { return item < gone.size() && gone[item]; };
  for (size_t k = begin; k < std::min(end, rows()); ++k) {
    if (k < first_.size()) {
      first_[k].remove(gone);
      near_[k].remove(gone);
      before_[k].remove(gone);
      near_totals_[k] = near_[k].total;
      continue;
    }
    const auto place = k - first_.size();
    const auto key = pair_keys_[place];
    if (key != 0 && (is_gone((key - 1) >> 32) || is_gone((key - 1) & UINT32_MAX))) {
      pair_keys_[place] = 0;
      pairs_[place] = {};
    } else if (key != 0) {
      pairs_[place].remove(gone);
    }
  }
}

void counters::save_item(writer& out, uint32_t item, double when) const {
  static const first_row no_first;
  static const near_row no_near;
  static const before_row no_before;
  const bool known = item < first_.size();
  out.put(facts(item));
  (known ? first_[item] : no_first).save(out);
  (known ? near_[item] : no_near).save(out);
  (known ? before_[item] : no_before).save(out);
  for (auto weights : {&trend_, &fast_, &slow_})
    out.put(weights->at(item, when));
  for (auto& region : regions_)
    out.put(region.at(item, when));
}

bool counters::save_pair(writer& out, size_t place) const {
  if (pair_keys_[place] == 0)
    return false;
  out.put(pair_keys_[place]);
  pairs_[place].save(out);
  return true;
}

void counters::begin_loading(double when, size_t regions) {
  now_ = when;
  observed_ = config_.timed ? 0 : static_cast<uint64_t>(when);
  while (regions_.size() < std::min(regions, config_.max_regions))
    regions_.emplace_back(config_.fast_half_life);
  for (auto weights : weights())
    weights->begin(when);
}

void counters::load_item(reader& in, uint32_t item) {
  grow(item);
  in.get(facts_[item]);
  first_[item].load(in);
  near_[item].load(in);
  before_[item].load(in);
  near_totals_[item] = near_[item].total;
  float weight = 0;
  for (auto weights : weights()) {
    in.get(weight);
    weights->put(item, weight);
  }
}

void counters::load_pair(reader& in) {
  uint64_t key = 0;
  pair_row row;
  in.get(key);
  row.load(in);
  if (key == 0)
    return in.fail();
  pair_for(static_cast<uint32_t>((key - 1) >> 32), static_cast<uint32_t>(key - 1)) = row;
}

} // namespace gnomon::learning
