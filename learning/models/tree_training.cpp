#include "learning/models/boosted_trees.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace gnomon::learning {

namespace {

constexpr size_t most_bins = 64;
constexpr size_t cut_from = 50'000; // samples that the bins are cut by
constexpr float least_weight = 5;   // second derivatives that both sides of a split need

/// A feature's values, cut into bins of about the same number of samples.
struct binned_feature {
  std::vector<float> cuts;   // ascending; bin k holds what is above cuts[k - 1] and not above cuts[k]
  std::vector<uint8_t> bins; // by sample
};

binned_feature cut_feature(const mlp_samples& samples, size_t feature) {
  const size_t n = samples.size(), step = std::max<size_t>(1, n / cut_from);
  auto value = [&](size_t i) { return samples.features[i * samples.inputs + feature]; };
  std::vector<float> sorted;
  for (size_t i = 0; i < n; i += step)
    sorted.push_back(value(i));
  std::sort(sorted.begin(), sorted.end());
  binned_feature result;
  for (size_t k = 1; k < most_bins; ++k) {
    const float cut = sorted[k * (sorted.size() - 1) / most_bins];
    if (cut < sorted.back() && (result.cuts.empty() || cut > result.cuts.back()))
      result.cuts.push_back(cut);
  }
  result.bins.resize(n);
  for (size_t i = 0; i < n; ++i)
    result.bins[i] =
        static_cast<uint8_t>(std::lower_bound(result.cuts.begin(), result.cuts.end(), value(i)) - result.cuts.begin());
  return result;
}

constexpr size_t outputs = boosted_trees::most_outputs;

/// First and second derivatives of the loss by each output. Outputs that are not there have none.
struct slope {
  std::array<float, outputs> first{}, second{};
  slope& operator+=(const slope& other) {
    for (size_t o = 0; o < outputs; ++o) {
      first[o] += other.first[o];
      second[o] += other.second[o];
    }
    return *this;
  }
};

class tree_training {
public:
  tree_training(const mlp_samples& samples, const tree_config& config)
      : samples_(samples), config_(config), random_(config.seed), scores_(samples.size()), leaf_(samples.size()),
        slopes_(samples.size()) {
    for (size_t f = 0; f < samples.inputs; ++f)
      features_.push_back(cut_feature(samples, f));
    weights_.inputs = static_cast<uint32_t>(samples.inputs);
    weights_.outputs = static_cast<uint32_t>(samples.outputs);
    weights_.depth = config.depth;
    begin_with_shares();
  }

  expected<boosted_trees> run(const std::function<bool(double, double)>& report) {
    for (size_t tree = 0; tree < config_.trees; ++tree) {
      const double loss = derive();
      if (report && !report(static_cast<double>(tree) / static_cast<double>(config_.trees), loss))
        return make_error(ec::timeout, "training was stopped before its end");
      draw();
      grow();
      add_leaves();
    }
    return boosted_trees{std::move(weights_)};
  }

private:
  /// Each output begins at the logit of its share of true targets.
  void begin_with_shares() {
    for (size_t o = 0; o < samples_.outputs; ++o) {
      double known = 2, hits = 1;
      for (size_t i = 0; i < samples_.size(); ++i)
        if (const float y = target(i, o); y != unknown_target) {
          known += 1;
          hits += y;
        }
      weights_.base.push_back(static_cast<float>(std::log(hits / (known - hits))));
      for (auto& score : scores_)
        score[o] = weights_.base[o];
    }
  }

  float target(size_t sample, size_t output) const {
    return samples_.targets[sample * samples_.outputs + output];
  }

  /// The derivatives at the present scores; returns the mean loss.
  double derive() {
    double loss = 0, known = 1e-9;
    for (size_t i = 0; i < samples_.size(); ++i) {
      slopes_[i] = {};
      for (size_t o = 0; o < samples_.outputs; ++o) {
        const float y = target(i, o);
        if (y == unknown_target)
          continue;
        const float p = 1 / (1 + std::exp(-scores_[i][o]));
        slopes_[i].first[o] = p - y;
        slopes_[i].second[o] = p * (1 - p);
        loss -= std::log(std::max(1e-7f, y > 0 ? p : 1 - p));
        known += 1;
      }
    }
    return loss / known;
  }

  /// The samples and features that the next tree's questions are chosen by.
  void draw() {
    std::uniform_real_distribution<double> uniform;
    drawn_.clear();
    for (size_t i = 0; i < samples_.size(); ++i)
      if (uniform(random_) < config_.samples)
        drawn_.push_back(static_cast<uint32_t>(i));
    asked_.resize(features_.size());
    std::iota(asked_.begin(), asked_.end(), size_t{0});
    std::shuffle(asked_.begin(), asked_.end(), random_);
    const auto some = config_.features * static_cast<double>(asked_.size());
    asked_.resize(std::clamp<size_t>(static_cast<size_t>(some), 1, asked_.size()));
    drawn_slopes_.clear();
    for (auto i : drawn_)
      drawn_slopes_.push_back(slopes_[i]);
  }

  void grow() {
    std::fill(leaf_.begin(), leaf_.end(), uint8_t{0});
    for (uint32_t level = 0; level < config_.depth; ++level) {
      const auto best = best_question(size_t{1} << level);
      const auto& feature = features_[best.feature];
      weights_.features.push_back(static_cast<uint32_t>(best.feature));
      // Without any gain the last level asks what nobody fulfils.
      weights_.thresholds.push_back(best.gain > 0 ? feature.cuts[best.cut] : std::numeric_limits<float>::max());
      if (best.gain > 0)
        for (size_t i = 0; i < leaf_.size(); ++i)
          leaf_[i] |= static_cast<uint8_t>((feature.bins[i] > best.cut) << level);
    }
  }

  struct question {
    size_t feature = 0, cut = 0;
    double gain = 0;
  };

  question best_question(size_t leaves) {
    question best;
    drawn_leaf_.clear();
    for (auto i : drawn_)
      drawn_leaf_.push_back(leaf_[i]);
    for (auto f : asked_) {
      fill_histogram(features_[f], leaves);
      const auto gains = gains_of(features_[f], leaves);
      for (size_t cut = 0; cut < gains.size(); ++cut)
        if (gains[cut] > best.gain)
          best = {f, cut, gains[cut]};
    }
    return best;
  }

  void fill_histogram(const binned_feature& feature, size_t leaves) {
    histogram_.assign(leaves * most_bins, slope{});
    for (size_t k = 0; k < drawn_.size(); ++k)
      histogram_[drawn_leaf_[k] * most_bins + feature.bins[drawn_[k]]] += drawn_slopes_[k];
  }

  /// What each cut of the feature gains, summed over the leaves: one question serves all of them.
  std::vector<double> gains_of(const binned_feature& feature, size_t leaves) const {
    std::vector<double> gains(feature.cuts.size(), 0);
    for (size_t leaf = 0; leaf < leaves; ++leaf) {
      const slope* bins = &histogram_[leaf * most_bins];
      const slope all = std::accumulate(bins, bins + feature.cuts.size() + 1, slope{},
                                        [](slope sum, const slope& bin) { return sum += bin; });
      slope below;
      for (size_t cut = 0; cut < gains.size(); ++cut)
        gains[cut] += gain(all, below += bins[cut]);
    }
    return gains;
  }

  float gain(const slope& all, const slope& below) const {
    float sum = 0;
    for (size_t o = 0; o < outputs; ++o) {
      const float g = all.first[o], h = all.second[o], gl = below.first[o], hl = below.second[o];
      const float gr = g - gl, hr = h - hl, s = config_.smoothing;
      const bool both = hl >= least_weight && hr >= least_weight;
      sum += both ? gl * gl / (hl + s) + gr * gr / (hr + s) - g * g / (h + s) : 0;
    }
    return sum;
  }

  /// All samples decide what the leaves say.
  void add_leaves() {
    std::vector<slope> sums(size_t{1} << config_.depth);
    for (size_t i = 0; i < leaf_.size(); ++i)
      sums[leaf_[i]] += slopes_[i];
    const size_t first = weights_.leaves.size();
    for (const auto& sum : sums)
      for (size_t o = 0; o < outputs; ++o)
        weights_.leaves.push_back(-config_.rate * sum.first[o] / (sum.second[o] + config_.smoothing));
    for (size_t i = 0; i < leaf_.size(); ++i)
      for (size_t o = 0; o < outputs; ++o)
        scores_[i][o] += weights_.leaves[first + leaf_[i] * outputs + o];
  }

  const mlp_samples& samples_;
  const tree_config config_;
  std::mt19937_64 random_;
  std::vector<binned_feature> features_;
  tree_weights weights_;
  std::vector<std::array<float, outputs>> scores_; // by sample
  std::vector<uint8_t> leaf_;                      // of the tree that grows, by sample
  std::vector<slope> slopes_;                      // by sample
  std::vector<uint32_t> drawn_;                    // samples that choose the questions: their numbers,
  std::vector<uint8_t> drawn_leaf_;                // leaves
  std::vector<slope> drawn_slopes_;                // and slopes
  std::vector<size_t> asked_;                      // features
  std::vector<slope> histogram_;                   // leaves x bins
};

std::string complaint(const mlp_samples& samples, const tree_config& config) {
  if (samples.size() == 0 || samples.outputs == 0)
    return "training trees needs samples";
  if (samples.outputs > boosted_trees::most_outputs || samples.inputs > boosted_trees::most_inputs || config.depth == 0
      || config.depth > boosted_trees::most_depth || config.trees > boosted_trees::most_trees)
    return "that many trees, levels, features or outputs are not supported";
  if (samples.features.size() % samples.inputs != 0 || samples.targets.size() != samples.size() * samples.outputs)
    return "every sample needs all its features and targets";
  if (!std::all_of(samples.features.begin(), samples.features.end(), [](float x) { return std::isfinite(x); }))
    return "a feature is not a finite number";
  return {};
}

} // namespace

expected<boosted_trees> train_trees(const mlp_samples& samples, const tree_config& config,
                                    const std::function<bool(double, double)>& report) {
  if (auto wrong = complaint(samples, config); !wrong.empty())
    return make_error(ec::invalid_argument, wrong);
  return tree_training{samples, config}.run(report);
}

} // namespace gnomon::learning
