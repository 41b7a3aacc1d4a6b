#include "learning/demand/demand_samples.hpp"

#include <algorithm>

namespace gnomon::learning {

namespace {

/// When each (item, region) is read: the ground truth.
class read_times {
public:
  explicit read_times(const access_log& log) {
    for (auto& a : log.accesses)
      if (!a.write)
        times_[key(a.item, a.region)].push_back(a.time);
  }
  /// The first read after `time`; 0 for none.
  uint32_t after(uint32_t item, size_t region, uint32_t time) const {
    auto known = times_.find(key(item, region));
    if (known == times_.end())
      return 0;
    auto at = std::upper_bound(known->second.begin(), known->second.end(), time);
    return at == known->second.end() ? 0 : *at;
  }

private:
  static uint64_t key(uint32_t item, size_t region) {
    return (uint64_t{item} << 8) | region;
  }
  std::unordered_map<uint64_t, std::vector<uint32_t>> times_;
};

} // namespace

demand_samples::demand_samples(const access_log& log, const demand_training_config& config)
    : log_(log), config_(config), random_(config.seed) {
  const auto first = log.accesses.front().time, last = log.accesses.back().time;
  const auto known = last - std::min(last - first, demand_horizons[day_horizon]); // what came true within a day
  auto moment = [&](double share) { return first + static_cast<uint32_t>(share * static_cast<double>(last - first)); };
  learn_ = moment(config.learn_from);
  hold_ = std::min(moment(config.hold_from), learn_ + (known > learn_ ? (known - learn_) / 5 * 4 : 0));
  samples_.inputs = demand_feature_count;
  samples_.outputs = demand_horizons.size();
  gather();
  learned_ = static_cast<size_t>(std::lower_bound(times_.begin(), times_.end(), hold_) - times_.begin());
}

void demand_samples::gather() {
  const read_times truth{log_};
  demand_counters counts{config_.counts};
  const size_t regions = region_count();
  std::vector<float> features(demand_feature_count);
  for (auto& a : log_.accesses) {
    const auto& name = log_.item_names[a.item];
    if (a.write)
      counts.written(name, a.region, a.time);
    else
      counts.read(name, a.region, a.time);
    if (!counts.due(name, a.time) || a.time < learn_)
      continue;
    for (size_t r = 0; r < regions; ++r)
      if (counts.absent(name, r, a.time) && uniform_(random_) < chance_
          && counts.describe(name, r, a.time, features.data(), 1))
        keep(features, a, r, truth.after(a.item, r, a.time));
  }
}

/// `next`: the first read there after the decision, 0 for none.
void demand_samples::keep(const std::vector<float>& features, const access& a, size_t region, uint32_t next) {
  const auto end = log_.accesses.back().time;
  if (a.time + demand_horizons.front() > end)
    return;
  samples_.features.insert(samples_.features.end(), features.begin(), features.end());
  for (auto horizon : demand_horizons)
    samples_.targets.push_back(a.time + horizon > end ? unknown_target : next != 0 && next <= a.time + horizon);
  times_.push_back(a.time);
  if (times_.size() >= 2 * std::max<size_t>(config_.samples, 1))
    thin_out();
}

/// How many decisions the log holds shows only on the way: when there are twice too many, every other one goes.
void demand_samples::thin_out() {
  chance_ /= 2;
  size_t kept = 0;
  for (size_t k = 0; k < times_.size(); ++k) {
    if (uniform_(random_) < 0.5)
      continue;
    auto move = [&](auto& values, size_t width) {
      std::copy_n(values.begin() + static_cast<ptrdiff_t>(k * width), width,
                  values.begin() + static_cast<ptrdiff_t>(kept * width));
    };
    move(samples_.features, demand_feature_count);
    move(samples_.targets, demand_horizons.size());
    move(times_, 1);
    ++kept;
  }
  samples_.features.resize(kept * demand_feature_count);
  samples_.targets.resize(kept * demand_horizons.size());
  times_.resize(kept);
}

size_t demand_samples::region_count() const {
  size_t count = 0;
  for (auto& a : log_.accesses)
    count = std::max<size_t>(count, a.region + size_t{1});
  return std::min(count, max_demand_regions);
}

/// Drawn by a hash, so that it does not matter in which order the regions come.
demand_samples::use demand_samples::use_of(size_t k) const {
  if (k < learned_)
    return use::learn;
  const auto quarter = (k * 0x9e3779b97f4a7c15) >> 62;
  return quarter == 0 ? use::calibrate : quarter == 1 ? use::contest : use::measure;
}

mlp_samples demand_samples::to_learn() const {
  auto part = samples_;
  part.features.resize(learned_ * demand_feature_count);
  part.targets.resize(learned_ * demand_horizons.size());
  return part;
}

} // namespace gnomon::learning
