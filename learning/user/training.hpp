#pragma once

#include "learning/user/user_predictor.hpp"

#include <string>
#include <string_view>

namespace gnomon::learning {

/// One access with names made small: user, item and region are dense indices of an access log.
struct access {
  uint32_t user = 0;
  uint32_t item = 0;
  uint32_t time = 0; // seconds since 1970 UTC; 0 throughout a log that knows only the order
  uint8_t region = 0;
};

/// Accesses to learn from, oldest first.
struct access_log {
  std::vector<access> accesses;
  uint32_t users = 0;
  uint32_t items = 0;
  bool timed = true;
  std::vector<std::string> item_names; // by index; empty where indices are all that is needed
  /// Puts the accesses in order of time, keeping the order of equals.
  void sort();
  /// The accesses [begin, end), with the items up to the greatest of them.
  access_log slice(size_t begin, size_t end) const;
};

/// Builds a log from names. Users beyond four billion and items beyond `max_items` are not taken.
class log_builder {
public:
  explicit log_builder(size_t max_items = 1'000'000);
  /// False when the tables are full: the access was left out.
  bool add(std::string_view user, std::string_view item, std::string_view region, uint32_t time);
  uint32_t item(std::string_view name) const {
    return items_.find(name);
  }
  const id_table& regions() const {
    return regions_;
  }
  size_t size() const {
    return log_.accesses.size();
  }
  /// The log in order of time; the builder is done.
  access_log take(bool timed);

private:
  id_table users_, items_, regions_;
  access_log log_;
};

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
  size_t guesses = 20; // what a prediction returns, and so what is calibrated
  uint64_t seed = 1;
};

struct training_report {
  double share = 0; // of the whole work, 0 to 1
  double loss = 0;  // of the network or ranker being trained
  double seconds_left = 0;
  double events_per_second = 0; // of the network, while it trains
};
using training_listener = std::function<bool(const training_report&)>;

/// Trains network, ranker and calibration on `log`. The network that the ranker sees while it learns was trained on
/// earlier accesses only; the one that is returned has seen all of them. Quality is measured on the last part of the
/// log, before the final network is trained. With `start` the networks go on from those weights. Blocks.
/// Errors: invalid_argument (fewer than 50 users with two accesses), timeout (the listener said stop).
expected<model_parts> train_parts(const access_log& log, const training_config& config,
                                  const model_parts* start = nullptr, const training_listener& listener = {});

/// Which predictions of a log quality is measured with: about `contexts` of those after `from`, the same for every
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

/// How good `parts` are on what `held_back` chooses, with counters that learn from the whole log as it goes by; parts
/// without networks are judged by what counting and the formula do. Blocks. Errors: timeout (the listener said stop).
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

/// What happened to each access's user afterwards: ground truth for training and evaluation.
class outcomes {
public:
  outcomes(const access_log& log, const useful_window& window);
  /// The user's next item after access k of the log; `no_index` when it was the last.
  uint32_t next(size_t k) const {
    return following_[k] == no_index ? no_index : log_.accesses[following_[k]].item;
  }
  /// True when the user's next access comes within the useful window.
  bool returns(size_t k) const;
  /// True when the user of access k reads `item` within the useful window after it.
  bool useful(size_t k, uint32_t item) const;

private:
  const access_log& log_;
  useful_window window_;
  std::vector<uint32_t> following_; // index of the same user's next access
};

} // namespace gnomon::learning
