#pragma once

#include "learning/base/calibration.hpp"
#include "learning/base/follow_up.hpp"
#include "learning/base/training_progress.hpp"
#include "learning/demand/demand_counters.hpp"
#include "learning/history/access_log.hpp"
#include "learning/models/boosted_trees.hpp"

#include <span>

/// Will this region read this item soon? With the answer, the first read in a region can be a local one.
namespace gnomon::learning {

/// How far ahead the model looks, in seconds.
inline constexpr std::array<uint32_t, 4> demand_horizons{3600, 6 * 3600, 24 * 3600, 48 * 3600};
inline constexpr size_t day_horizon = 2;

/// Probabilities that the item is read in the region within each of `demand_horizons`. They never fall from one to the
/// next.
using demand_estimate = std::array<float, demand_horizons.size()>;

/// How well estimates for the next day agree with what happened.
struct demand_quality {
  double loss = 0;              // mean negative log-likelihood, in nats
  double calibration_error = 0; // mean distance between what was said and what came true
  uint64_t decisions = 0;       // what both were measured on
  double honesty = 0;           // which part of what was said came true, where that was at least .3; 0: never
};

enum class demand_kind : uint8_t { formula, network, trees };
std::string_view name(demand_kind kind);

/// How the two kinds of models did on the same decisions, which neither had seen.
struct demand_contest {
  demand_quality network, trees;
};

/// What training makes and nodes exchange. It names neither items nor regions, so any node can use it.
struct demand_parts {
  uint64_t version = 0;
  // One of them estimates: the one that did better on decisions held back. Both empty: a fixed formula does.
  mlp network;
  boosted_trees trees;
  demand_contest contest;
  demand_quality measured; // on other decisions held back, before it learned from these as well
  std::array<calibrator, demand_horizons.size()> calibration;

  demand_parts() {
    calibration.fill(calibrator{4000}); // outcomes, less than a day: one day is not like another
  }
  demand_kind kind() const {
    return trees ? demand_kind::trees : network ? demand_kind::network : demand_kind::formula;
  }
};
/// A sealed file of kind demand, and back. Errors of reading: bad_message, as in `unseal`.
std::string to_file(const demand_parts& parts);
expected<demand_parts> demand_from_file(std::string_view file);

/// Learns from reads and writes at once, estimates at any time, and follows some estimates up to keep them calibrated.
/// Not thread-safe: one owner.
///
/// To decide about copies ahead of reads: call `read` or `written` for each access, in order of time. When `due` says
/// so, ask `estimate` or `estimate_in`. For a region without a copy (`counts().absent`), the entry `day_horizon` is the
/// probability that a copy made there now is read within 24 hours. `prefetch_threshold` says which are worth a copy.
class demand_model {
public:
  explicit demand_model(const demand_config& config = {}, size_t track_every = 4);

  /// Regions are small numbers, the same in every call; those from 16 on count as one.
  void read(std::string_view item, size_t region, uint32_t time);
  void written(std::string_view item, size_t region, uint32_t time);
  /// True when it is time to decide about the item again (see demand_counters::due).
  bool due(std::string_view item, uint32_t time) {
    return counts_.due(item, time);
  }
  /// The estimates for each of the node's `count` regions. Zeroes for an unknown item. 15 us for 8 regions.
  void estimate(std::string_view item, size_t count, uint32_t time, std::vector<demand_estimate>& out);
  /// The same for one region.
  demand_estimate estimate_in(std::string_view item, size_t region, uint32_t time);
  /// Number of estimates whose outcome within `horizon` is known: shows how well founded the probabilities are.
  size_t outcomes(size_t horizon) const {
    return parts_.calibration[horizon].outcomes();
  }
  void adopt(demand_parts parts);
  const demand_parts& parts() const {
    return parts_;
  }
  const demand_counters& counts() const {
    return counts_;
  }

private:
  static std::string key_of(std::string_view item, size_t region);
  void track(std::string_view item, size_t region, size_t column, uint32_t time);
  void score(size_t count);
  demand_estimate said(std::string_view item, size_t region, size_t column, uint32_t time);

  demand_counters counts_;
  demand_parts parts_;
  size_t track_every_;
  uint64_t estimated_ = 0;
  std::vector<float> columns_, logits_;
  follow_up tracked_;
};

/// The logits of one decision for each of `demand_horizons`, from its `demand_feature_count` features.
void score_demand(const demand_parts& parts, const float* features, float* logits);

struct demand_training_config {
  mlp_config network{.epochs = 6};
  tree_config trees;
  demand_config counts;
  size_t samples = 200'000; // at least, where the log has as many: drawn evenly from its decisions
  double hold_from = 0.85;  // of the log: later decisions are held back until the model is judged
  double learn_from = 0.15; // of the log: earlier ones only fill the counters
  uint64_t seed = 1;
};

/// The quality of each of `parts` on the decisions at the end of the log that `train_demand` holds back to measure.
/// Parts without a model are judged by the formula. Zeroes for a log that is too short.
std::vector<demand_quality> measure_demand(const access_log& log, std::span<const demand_parts* const> parts,
                                           const demand_training_config& config = {});

/// Trains a network and trees on a log of reads in order of time, and returns the one that does better on decisions
/// from the end of the log. It has then learned from these as well. Where an outcome lies beyond the end of the log, it
/// teaches nothing. Errors: invalid_argument (an untimed log, too short), timeout.
expected<demand_parts> train_demand(const access_log& log, const demand_training_config& config,
                                    const training_listener& listener = {});

} // namespace gnomon::learning
