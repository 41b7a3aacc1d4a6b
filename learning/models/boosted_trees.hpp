#pragma once

#include "learning/models/mlp.hpp"

/// Boosted trees: the sum of many small decision trees. They estimate demand beside the network.
namespace gnomon::learning {

/// Every tree is oblivious (Kohavi 1994; Prokhorenkova et al. 2018, "CatBoost"): it asks the same question of all
/// samples at one level, so its leaf is a number of `depth` bits, and scoring needs no branches.
struct tree_weights {
  static constexpr uint32_t most_outputs = 4;
  uint32_t inputs = 0, outputs = 0, depth = 0;
  std::vector<float> base;        // outputs
  std::vector<uint32_t> features; // trees x depth: which feature a level looks at,
  std::vector<float> thresholds;  // and above which value it sets its bit
  std::vector<float> leaves;      // trees x 2^depth x most_outputs; those beyond `outputs` are 0
};

/// Uses trained trees. Immutable once made: any thread may use it.
class boosted_trees {
public:
  static constexpr uint32_t most_inputs = 1024, most_outputs = tree_weights::most_outputs, most_depth = 8,
                            most_trees = 1024;

  boosted_trees() = default;
  explicit boosted_trees(tree_weights weights) : weights_(std::move(weights)) {}
  explicit operator bool() const {
    return weights_.inputs != 0;
  }
  size_t inputs() const {
    return weights_.inputs;
  }
  size_t outputs() const {
    return weights_.outputs;
  }
  size_t trees() const {
    return weights_.depth == 0 ? 0 : weights_.features.size() / weights_.depth;
  }
  /// Scores samples in columns, as `mlp::run` does. Outputs are logits. 200 trees on 8 samples: 8 us.
  void run(const float* columns, size_t stride, size_t count, float* out) const;

  void save(writer& out) const;
  /// Errors: bad_message, also for features that do not exist and for numbers that are not finite.
  static expected<boosted_trees> load(reader& in);

private:
  tree_weights weights_;
};

struct tree_config {
  size_t trees = 200;    // at most `most_trees`
  uint32_t depth = 6;    // at most `most_depth`
  float rate = 0.1f;     // shrinkage of each tree
  float smoothing = 20;  // added to the second derivatives of a leaf: small leaves say little
  double samples = 0.3;  // share of the samples that a tree's questions are chosen by (Friedman 2002)
  double features = 0.5; // share of the features that it may ask about
  uint64_t seed = 1;
};

/// Boosts trees on the logistic loss, by second-order steps (Friedman 2001; Chen and Guestrin 2016) on features in at
/// most 64 bins. One tree serves all outputs. Targets are as in `train_mlp`; groups are ignored. Deterministic by seed;
/// single-threaded. `report` as there.
/// Errors: invalid_argument (sizes that do not fit, no samples, a feature that is not finite), timeout (stopped).
expected<boosted_trees> train_trees(const mlp_samples& samples, const tree_config& config,
                                    const std::function<bool(double share, double loss)>& report = {});

} // namespace gnomon::learning
