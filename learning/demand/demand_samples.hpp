#pragma once

#include "learning/demand/demand_model.hpp"

#include <random>

namespace gnomon::learning {

/// The decisions in a log about regions without a copy, with what was known at each and what came true. Gathered by
/// streaming the log once. Copies nothing of the log, which must outlive it.
class demand_samples {
public:
  /// The log is in order of time, timed, and has the names of its items.
  demand_samples(const access_log& log, const demand_training_config& config);

  /// What a decision is for, by its time and place: the last ones are held back from learning. A quarter of these
  /// calibrates, a quarter says which kind of model is better, and half measures what serves.
  enum class use { learn, calibrate, contest, measure };
  use use_of(size_t k) const;

  /// demand_feature_count features each, and a target for each of demand_horizons. A target is unknown when its time
  /// reaches beyond the end of the log.
  const mlp_samples& all() const {
    return samples_;
  }
  /// Those to learn from before anything is calibrated or compared.
  mlp_samples to_learn() const;
  const float* features(size_t k) const {
    return &samples_.features[k * demand_feature_count];
  }
  float target(size_t k, size_t horizon) const {
    return samples_.targets[k * demand_horizons.size() + horizon];
  }
  size_t size() const {
    return times_.size();
  }
  /// How many come before those held back.
  size_t learned() const {
    return learned_;
  }

private:
  void gather();
  void keep(const std::vector<float>& features, const access& a, size_t region, uint32_t next);
  void thin_out();
  size_t region_count() const;

  const access_log& log_;
  const demand_training_config& config_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> uniform_;
  double chance_ = 1;             // of a decision to be kept
  uint32_t learn_ = 0, hold_ = 0; // moments: decisions before `learn_` are not kept, those from `hold_` on held back
  size_t learned_ = 0;
  mlp_samples samples_;
  std::vector<uint32_t> times_; // of the samples
};

} // namespace gnomon::learning
