#include "learning/demand/demand_samples.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon::learning {

namespace {

using use = demand_samples::use;

constexpr size_t day = day_horizon;
constexpr double likely = 0.3; // decisions that may lead to copies

bool usable(const access_log& log) {
  return log.timed && !log.accesses.empty() && log.item_names.size() >= log.items;
}

/// How `parts` do on the decisions for `purpose`.
demand_quality quality_of(const demand_parts& parts, const demand_samples& samples, use purpose) {
  demand_quality quality;
  calibration_table table;
  double likely_said = 0, likely_true = 0;
  float logits[demand_horizons.size()];
  for (size_t k = samples.learned(); k < samples.size(); ++k) {
    if (samples.use_of(k) != purpose || samples.target(k, day) == unknown_target)
      continue;
    score_demand(parts, samples.features(k), logits);
    const double p = std::clamp(double{parts.calibration[day](logits[day])}, 1e-6, 1 - 1e-6);
    const bool came_true = samples.target(k, day) > 0;
    quality.loss -= std::log(came_true ? p : 1 - p);
    table.add(static_cast<float>(p), came_true);
    likely_said += p >= likely ? p : 0;
    likely_true += p >= likely && came_true ? 1 : 0;
    ++quality.decisions;
  }
  quality.loss /= static_cast<double>(std::max<uint64_t>(quality.decisions, 1));
  quality.calibration_error = table.error();
  quality.honesty = likely_said > 0 ? likely_true / likely_said : 0;
  return quality;
}

void calibrate(demand_parts& parts, const demand_samples& samples) {
  float logits[demand_horizons.size()];
  for (size_t k = samples.learned(); k < samples.size(); ++k) {
    if (samples.use_of(k) != use::calibrate)
      continue;
    score_demand(parts, samples.features(k), logits);
    for (size_t h = 0; h < demand_horizons.size(); ++h)
      if (samples.target(k, h) != unknown_target)
        parts.calibration[h].add(logits[h], samples.target(k, h) > 0);
  }
  for (auto& c : parts.calibration)
    c.fit();
}

class demand_training {
public:
  demand_training(const demand_samples& samples, const demand_training_config& config,
                  const training_listener& listener)
      : samples_(samples), config_(config), listener_(listener) {}

  expected<demand_parts> run() {
    const auto part = samples_.to_learn();
    auto network = with_network(part, 0.1), trees = network ? with_trees(part, 0.3) : network.error();
    if (!trees)
      return trees.error();
    for (auto parts : {&*network, &*trees})
      calibrate(*parts, samples_);
    const demand_contest contest{quality_of(*network, samples_, use::contest),
                                 quality_of(*trees, samples_, use::contest)};
    auto& better = contest.trees.loss < contest.network.loss ? *trees : *network;
    better.contest = contest;
    better.measured = quality_of(better, samples_, use::measure);
    return with_all(std::move(better));
  }

private:
  /// What serves has learned from all decisions. Its calibration is that of the one before it, and is corrected by
  /// outcomes from then on.
  expected<demand_parts> with_all(demand_parts parts) {
    auto whole = parts.trees ? with_trees(samples_.all(), 0.6) : with_network(samples_.all(), 0.6);
    if (!whole)
      return whole.error();
    parts.network = std::move(whole->network);
    parts.trees = std::move(whole->trees);
    return parts;
  }

  expected<demand_parts> with_network(const mlp_samples& samples, double begin) {
    demand_parts parts;
    auto network = train_mlp(samples, config_.network, progress_from(begin));
    if (!network)
      return network.error();
    parts.network = std::move(*network);
    return parts;
  }

  expected<demand_parts> with_trees(const mlp_samples& samples, double begin) {
    demand_parts parts;
    auto trees = train_trees(samples, config_.trees, progress_from(begin));
    if (!trees)
      return trees.error();
    parts.trees = std::move(*trees);
    return parts;
  }

  std::function<bool(double, double)> progress_from(double begin) const {
    return [=, this](double share, double loss) { return !listener_ || listener_({begin + 0.3 * share, loss, 0, 0}); };
  }

  const demand_samples& samples_;
  const demand_training_config& config_;
  const training_listener& listener_;
};

} // namespace

std::vector<demand_quality> measure_demand(const access_log& log, std::span<const demand_parts* const> parts,
                                           const demand_training_config& config) {
  std::vector<demand_quality> qualities(parts.size());
  if (!usable(log))
    return qualities;
  const demand_samples samples{log, config};
  for (size_t k = 0; k < parts.size(); ++k)
    qualities[k] = quality_of(*parts[k], samples, use::measure);
  return qualities;
}

expected<demand_parts> train_demand(const access_log& log, const demand_training_config& config,
                                    const training_listener& listener) {
  if (!usable(log))
    return make_error(ec::invalid_argument, "the demand model learns from accesses with times and names");
  const demand_samples samples{log, config};
  if (samples.learned() == 0 || samples.size() <= samples.learned() + 1)
    return make_error(ec::invalid_argument,
                      "the trace is too short for the demand model: it needs more than three days");
  auto parts = demand_training{samples, config, listener}.run();
  if (parts)
    parts->version = log.accesses.back().time;
  return parts;
}

} // namespace gnomon::learning
