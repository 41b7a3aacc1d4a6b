#pragma once

#include "learning/base/calibration.hpp"
#include "learning/models/mlp.hpp"
#include "learning/user/candidates.hpp"

#include <memory>

namespace gnomon::learning {

/// The quality of a model on accesses held back from its training.
struct model_quality {
  double recall_20 = 0;          // share of next accesses among the first 20 guesses
  double mrr_20 = 0;             // mean of 1 / rank, 0 beyond 20
  double counting_recall_20 = 0; // the same accesses, best counting method alone
  uint64_t predictions = 0;
};

/// What training makes and nodes exchange. Immutable in service.
struct model_parts {
  uint64_t version = 0;    // of the training, for people and metrics
  uint64_t trained_at = 0; // seconds since 1970
  bool timed = true;
  sequence_model network;              // empty: only the counters find candidates
  std::vector<std::string> item_names; // of the network's rows
  mlp ranker;                          // empty: a fixed formula ranks
  calibrator next, useful;             // starting points; the running ones go on learning
  model_quality quality;
};

/// A sealed file of the parts (kind user_parts), and back. Errors of reading: bad_message, with its own sentence for
/// truncated, corrupted, another kind of file, a newer version.
std::string to_file(const model_parts& parts);
expected<model_parts> parts_from_file(std::string_view file);

/// One guess about a user.
struct guess {
  uint32_t item = 0;
  float next = 0;       // probability that the very next access is this item
  float useful = 0;     // probability that it is read within the useful window
  float next_logit = 0; // as given to the calibrators
  float useful_logit = 0;
  bool read_lately = false; // among the last ten: a copy is probably near already
};

/// Memory for one prediction at a time. Each thread that predicts needs its own.
struct prediction_space {
  candidate_set candidates;
  std::vector<float> scores;   // logits: of next, then of useful, `candidate_set::capacity` apart
  std::vector<uint32_t> order; // positions, likeliest next first
  size_t scored = 0;
};

/// `weights` with its items in the order of `names`. Items that it does not know get a row that is never chosen.
sequence_weights reordered(const sequence_weights& weights, const std::vector<std::string>& its_names,
                           const std::vector<std::string>& names);

/// Computes the user's state from the history again when it belongs to another network.
void refresh_state(const sequence_model& network, uint32_t network_version, bool timed, user_record& user);

/// The user reads `item`: the counters learn, the history grows, and the network's state is updated.
void observe_access(counters& counts, const sequence_model& network, uint32_t network_version, user_record& user,
                    uint32_t item, uint8_t region, uint32_t time);

/// Scores the first `count` columns of space.candidates and orders the best `wanted` of them.
void score_columns(const mlp& ranker, size_t count, size_t wanted, prediction_space& space);

/// Finds, scores and orders the candidates of `user`. Needs one access in the history.
void rank_candidates(const counters& counts, const model_parts& parts, const user_record& user,
                     const candidate_config& config, size_t wanted, prediction_space& space);

/// The best `wanted` guesses, likeliest next first. `next` and `useful` calibrate. p50 30 us, p99 100 us.
void predict(const counters& counts, const model_parts& parts, const user_record& user, const candidate_config& config,
             const calibrator& next, const calibrator& useful, size_t wanted, prediction_space& space,
             std::vector<guess>& out);

} // namespace gnomon::learning
