#pragma once

#include "learning/evaluation/evaluation.hpp"

namespace gnomon::learning {

/// Ranks one target by every method, for one prediction that `space` holds. Part of the evaluation.
class method_ranks {
public:
  method_ranks(std::map<std::string, method_score>& scores, size_t network_predictions, uint64_t expected_predictions);
  void add(const counters& counts, const sequence_model& network, const user_record& user,
           const prediction_space& space, uint32_t target);

private:
  static size_t by_feature(const prediction_space& space, feature f, uint32_t target);
  static size_t by_recency(const user_history& history, uint32_t target);

  std::map<std::string, method_score>& scores_;
  uint64_t network_every_;
  uint64_t seen_ = 0;
  std::vector<uint32_t> best_;
};

/// Median and 99th percentile of the added values, in microseconds.
class latency_sample {
public:
  void add(double seconds) {
    microseconds_.push_back(static_cast<float>(seconds * 1e6));
  }
  double quantile(double share);

private:
  std::vector<float> microseconds_;
};

} // namespace gnomon::learning
