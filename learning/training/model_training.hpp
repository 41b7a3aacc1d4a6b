#pragma once

#include "learning/demand/demand_model.hpp"
#include "learning/history/access_history.hpp"
#include "learning/user/user_training.hpp"

#include <memory>
#include <string>
#include <string_view>

/// Both models together: trained, judged, kept and exchanged as one.
namespace gnomon::learning {

/// Immutable once made. A null part has not been trained: counters and formulas take its place.
struct trained_models {
  uint64_t version = 0; // of the set; its parts have their own times of training
  std::string origin;   // the region that trained it
  std::shared_ptr<const model_parts> users;
  std::shared_ptr<const demand_parts> demand;
};

/// A sealed file of kind trained_models, and back. Errors of reading: bad_message, as in `unseal`.
std::string to_file(const trained_models& models);
expected<trained_models> models_from_file(std::string_view file);

/// The quality of two sets of models on the same accesses, which were held back from the training of the first set.
struct judgement {
  model_quality users, running_users;
  demand_quality demand, running_demand;
  demand_kind demand_serves = demand_kind::formula, running_demand_serves = demand_kind::formula;
  demand_contest contest; // of the first set's two kinds of demand models, on other decisions held back
  bool better_users = false, better_demand = false;
};

/// What there is to learn from: the accesses with users, and all accesses.
struct training_logs {
  access_log of_users;
  access_log all;
};

struct models_config {
  training_config users;
  demand_training_config demand;
};

struct judged_models {
  trained_models models; // of each part the better one; `version` and `origin` as the caller set them
  judgement verdict;
};

/// Trains both models as far as the logs allow, starting from the running ones, and judges them beside these. `fresh`
/// has the version and origin of the result, and no models. Blocks. Errors: invalid_argument when there is too little
/// for either, timeout when the listener said stop.
expected<judged_models> train_models(const training_logs& logs, const trained_models& running, trained_models fresh,
                                     const models_config& config, const training_listener& listener = {});

/// Judges models trained elsewhere on the accesses seen here. With too few accesses to decide, a part counts as better
/// only when none is running. Errors: timeout.
expected<judged_models> judge_models(const training_logs& logs, const trained_models& running,
                                     const trained_models& candidate, const models_config& config,
                                     const training_listener& listener = {});

} // namespace gnomon::learning
