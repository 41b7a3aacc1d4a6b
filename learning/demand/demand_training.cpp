#include "learning/demand/demand_model.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace gnomon::learning {

namespace {

/// When each (item, region) is read: the ground truth.
class read_times {
public:
  explicit read_times(const access_log& log) {
    for (auto& a : log.accesses)
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

class demand_training {
public:
  demand_training(const access_log& log, const demand_training_config& config, const training_listener& listener)
      : log_(log), config_(config), listener_(listener), truth_(log), random_(config.seed) {
    const auto first = log.accesses.front().time, last = log.accesses.back().time;
    auto moment = [&](double share) {
      return first + static_cast<uint32_t>(share * static_cast<double>(last - first));
    };
    // What came true is known only up to the end of the log: the network learns where it is for every horizon, and the
    // calibration goes on up to where it is for its own.
    for (size_t h = 0; h < demand_horizons.size(); ++h)
      known_[h] = last - std::min(last - first, demand_horizons[h]);
    learn_ = moment(config.learn_from);
    calibrate_ = std::min(moment(config.calibrate_from),
                          learn_ + (known_.back() > learn_ ? (known_.back() - learn_) / 5 * 4 : 0));
  }

  std::vector<demand_quality> measure(std::span<const demand_parts* const> parts) {
    gather();
    std::vector<demand_quality> qualities;
    for (auto of : parts)
      qualities.push_back(quality_of(*of));
    return qualities;
  }

  expected<demand_parts> run() {
    gather();
    if (trained_ == 0 || samples_.size() <= trained_ + 1)
      return make_error(ec::invalid_argument,
                        "the trace is too short for the demand model: it needs more than three days");
    mlp_samples part = samples_;
    part.features.resize(trained_ * demand_feature_count);
    part.targets.resize(trained_ * demand_horizons.size());
    auto network = train_mlp(part, config_.network, [&](double share, double loss) {
      return !listener_ || listener_({0.4 + 0.6 * share, loss, 0, 0});
    });
    if (!network)
      return network.error();
    demand_parts parts;
    parts.version = log_.accesses.back().time;
    parts.network = std::move(*network);
    calibrate(parts);
    return parts;
  }

private:
  void gather() {
    demand_counters counts{config_.counts};
    samples_.inputs = demand_feature_count;
    samples_.outputs = demand_horizons.size();
    const size_t regions = region_count();
    std::vector<float> features(demand_feature_count);
    for (auto& a : log_.accesses) {
      const auto& name = log_.item_names[a.item];
      counts.read(name, a.region, a.time);
      if (!counts.due(name, a.time) || a.time < learn_ || a.time >= known_.front())
        continue;
      for (size_t r = 0; r < regions; ++r)
        if (counts.absent(name, r, a.time) && uniform_(random_) < chance_
            && counts.describe(name, r, a.time, features.data(), 1))
          keep(features, a, r);
    }
    trained_ = static_cast<size_t>(std::lower_bound(times_.begin(), times_.end(), calibrate_) - times_.begin());
  }

  void keep(const std::vector<float>& features, const access& a, size_t region) {
    samples_.features.insert(samples_.features.end(), features.begin(), features.end());
    const auto read = truth_.after(a.item, region, a.time);
    for (auto horizon : demand_horizons)
      samples_.targets.push_back(read != 0 && read <= a.time + horizon);
    times_.push_back(a.time);
    if (times_.size() >= 2 * std::max<size_t>(config_.samples, 1))
      thin_out();
  }

  demand_quality quality_of(const demand_parts& of) const {
    demand_quality quality;
    calibration_table table;
    float logits[demand_horizons.size()];
    for (size_t k = trained_; k < samples_.size(); ++k) {
      if (calibrates(k) || times_[k] >= known_[day_horizon])
        continue;
      score_demand(of.network, &samples_.features[k * demand_feature_count], logits);
      const double p = std::clamp(double{of.calibration[day_horizon](logits[day_horizon])}, 1e-6, 1 - 1e-6);
      const bool came_true = samples_.targets[k * demand_horizons.size() + day_horizon] != 0;
      quality.loss -= std::log(came_true ? p : 1 - p);
      table.add(static_cast<float>(p), came_true);
      ++quality.decisions;
    }
    quality.loss /= static_cast<double>(std::max<uint64_t>(quality.decisions, 1));
    quality.calibration_error = table.error();
    return quality;
  }

  /// How many decisions the log holds shows only on the way: when there are twice too many, every other one goes.
  void thin_out() {
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

  /// Half of the decisions, whatever order the regions come in.
  static bool calibrates(size_t k) {
    return ((k * 0x9e3779b97f4a7c15) >> 63) != 0;
  }

  size_t region_count() const {
    size_t count = 0;
    for (auto& a : log_.accesses)
      count = std::max<size_t>(count, a.region + size_t{1});
    return std::min(count, max_demand_regions);
  }

  void calibrate(demand_parts& parts) const {
    float logits[demand_horizons.size()];
    for (size_t k = trained_; k < samples_.size(); ++k) {
      if (!calibrates(k))
        continue;
      score_demand(parts.network, &samples_.features[k * demand_feature_count], logits);
      for (size_t h = 0; h < demand_horizons.size() && times_[k] < known_[h]; ++h)
        parts.calibration[h].add(logits[h], samples_.targets[k * demand_horizons.size() + h] != 0);
    }
    for (auto& c : parts.calibration)
      c.fit();
  }

  const access_log& log_;
  const demand_training_config& config_;
  const training_listener& listener_;
  read_times truth_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> uniform_;
  double chance_ = 1;                                    // of a decision to be kept
  uint32_t learn_ = 0, calibrate_ = 0;                   // moments
  std::array<uint32_t, demand_horizons.size()> known_{}; // by horizon: before it, it is known what came true
  size_t trained_ = 0;                                   // samples before `calibrate_`
  mlp_samples samples_;
  std::vector<uint32_t> times_; // of the samples
};

} // namespace

std::vector<demand_quality> measure_demand(const access_log& log, std::span<const demand_parts* const> parts,
                                           const demand_training_config& config) {
  if (!log.timed || log.accesses.empty() || log.item_names.size() < log.items)
    return std::vector<demand_quality>(parts.size());
  return demand_training{log, config, {}}.measure(parts);
}

expected<demand_parts> train_demand(const access_log& log, const demand_training_config& config,
                                    const training_listener& listener) {
  if (!log.timed || log.accesses.empty() || log.item_names.size() < log.items)
    return make_error(ec::invalid_argument, "the demand model learns from accesses with times and names");
  return demand_training{log, config, listener}.run();
}

} // namespace gnomon::learning
