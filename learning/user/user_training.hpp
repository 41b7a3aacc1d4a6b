#pragma once

#include "learning/base/training_progress.hpp"
#include "learning/history/access_log.hpp"
#include "learning/user/user_predictor.hpp"

#include <string>
#include <string_view>

namespace gnomon::learning {

struct training_config {
  bool use_network = true;
  sequence_config network;
  mlp_config ranker{.epochs = 5, .listwise_first = true};
  candidate_config candidates;
  useful_window window;
  double ranker_from = 0.75;       // the ranker learns from accesses after this share of the log,
  double calibrate_from = 0.93;    // calibration from those after this one
  size_t ranker_contexts = 60'000; // predictions the ranker learns from
  size_t calibration_contexts = 20'000;
  size_t guesses = 20; // what a prediction returns, and therefore what is calibrated
  uint64_t seed = 1;
};

/// Trains network, ranker and calibration on `log`. The ranker learns with a network that was trained on earlier
/// accesses only; the returned network has seen all of them. Quality is measured on the last part of the log, before
/// the final network is trained. With `start` the networks continue from those weights. Blocks. Errors:
/// invalid_argument (fewer than 50 users with two accesses), timeout (the listener said stop).
expected<model_parts> train_parts(const access_log& log, const training_config& config,
                                  const model_parts* start = nullptr, const training_listener& listener = {});

/// The predictions of a log with which quality is measured: about `contexts` of those after `from`, the same for every
/// model.
class held_back {
public:
  held_back(const access_log& log, const training_config& config);
  /// The first access that may be one of them.
  size_t begin() const {
    return begin_;
  }
  bool chosen(size_t k) const;

private:
  size_t begin_;
  uint64_t seed_, bound_;
};

/// The quality of `parts` on the predictions that `held_back` chooses, with counters that learn from the whole log on
/// the way. Parts without networks are judged by counting and the formula. Blocks. Errors: timeout (the listener said
/// stop).
expected<model_quality> measure_quality(const access_log& log, const model_parts& parts, const training_config& config,
                                        const training_listener& listener = {});

/// Counters and users after a whole log, as the running node would have them.
struct replayed_log {
  counters counts;
  std::vector<user_record> users;

  replayed_log(const counter_config& config, uint32_t user_count) : counts(config), users(user_count) {}
  void observe(const access& a, const sequence_model& network) {
    observe_access(counts, network, 1, users[a.user], a.item, a.region, a.time);
  }
};
counter_config counters_for(const access_log& log);

} // namespace gnomon::learning
