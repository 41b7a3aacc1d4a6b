#pragma once

#include "learning/evaluation/demand_evaluation.hpp"
#include "learning/user/user_training.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Measures the guesses on session files and on traces, beside simple methods. Every guess is made before the access
/// that it is about is seen.
namespace gnomon::learning {

/// Shares of accesses whose item was among the first 1, 5 and 20 guesses, and the mean of 1 / rank within 20.
struct method_score {
  double recall_1 = 0, recall_5 = 0, recall_20 = 0, mrr_20 = 0;
  uint64_t predictions = 0;
  /// `rank` from 0; anything from 20 on is a miss.
  void add(size_t rank);
  /// From sums to means.
  method_score means() const;
};

/// The effect of prefetching everything above a threshold.
struct prefetch_score {
  double threshold = 0;
  double precision = 0; // share of what was fetched that was read within the useful window
  double coverage = 0;  // share of accesses, beyond what the user had read lately, that had been fetched
  double issued = 0;    // fetches per access
};

struct evaluation {
  std::map<std::string, method_score> methods;     // popularity, recency, markov, cooccurrence, network, combined
  std::vector<calibration_table::row> calibration; // of "this item comes next", in tenths
  std::vector<calibration_table::row> useful_calibration; // of "this item is read within the window"; traces only
  std::vector<prefetch_score> prefetch;                   // traces only
  std::optional<demand_evaluation> demand;                // traces of several regions only
  double train_seconds = 0;                               // of the user model
  double network_events_per_second = 0;                   // of one core, in the last pass
  double predict_p50_us = 0, predict_p99_us = 0;
  uint64_t accesses = 0, users = 0, items = 0;
  uint64_t bad_lines = 0;
};

/// JSON with recall_1, recall_5, recall_20, mrr_20 and predictions for each method, and the other members above by
/// name.
std::string to_json(const evaluation& e);
/// The same as tables for people.
std::string to_text(const evaluation& e);

struct evaluation_config {
  training_config training;
  demand_evaluation_config demand;
  double hold_back = 0.1;              // of the sessions, when there is no test file
  size_t network_predictions = 20'000; // of the network alone: few, because it scores every item, which is slow
  size_t users_in_simulation = 50'000;
};

/// Trains on a file of sessions (one a line: item ids in order, separated by blanks) and predicts the target of every
/// line of `test` (item ids, a tab, the item that followed). Without `test` the last sessions are held back: every item
/// of them except the first is a target, if training has seen it. Nothing is learned from the test. Files may be
/// gzipped. Errors: not_found (no such file), invalid_argument (nothing in it), and those of training.
expected<evaluation> evaluate_sequences(const std::string& train, const std::string& test,
                                        const evaluation_config& config, const training_listener& listener = {});

/// Trains on the first `split` of a trace (CSV with a header that names t or timestamp, user, region and item). Then
/// goes through the rest and learns as a node does. Each prediction is made after an access, about the user's next one.
/// Does the same with the demand model when the trace has several regions and is long enough. Files may be gzipped.
/// Errors as above.
expected<evaluation> evaluate_trace(const std::string& trace, double split, const evaluation_config& config,
                                    const training_listener& listener = {});

} // namespace gnomon::learning
