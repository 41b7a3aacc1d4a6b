#pragma once

#include "actors/node/node_context.hpp"
#include "learning/training/model_training.hpp"
#include "runtime/base/access_reader.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace gnomon {

/// The outcome of a training.
struct training_result {
  learning::judged_models judged;
  blob file; // the models, sealed
};

/// One training from its first line to the verdict. A `training` actor works on it, and the trainer reads its state.
/// Thread-safe.
class training_job {
public:
  training_job(uint64_t number, training_phase phase);
  training_status status() const;
  uint64_t number() const {
    return number_;
  }
  bool over() const;
  /// The work ends soon, and its result is dropped.
  void stop(std::string reason);
  bool stopped() const {
    return stopped_.load(std::memory_order_relaxed);
  }
  /// Changes the status with `change`, unless the job is over.
  template <class F>
  void update(F change) {
    std::lock_guard lock{mutex_};
    if (!is_over(status_.phase))
      change(status_);
  }
  void fail(std::string reason);
  /// No networks came of it, and that is no failure.
  void keep(std::string reason);
  void finish(training_result result);
  /// The result that `finish` brought, once.
  std::optional<training_result> take();

private:
  static bool is_over(training_phase phase);

  const uint64_t number_;
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_;
  training_status status_;
  std::optional<training_result> result_;
};

/// What a `training` actor has to do: learn from an upload that follows, learn from these logs, or judge models of
/// other regions.
struct training_order {
  std::shared_ptr<training_job> job;
  trainer_actor trainer;            // it is told when the work is over
  learning::trained_models running; // the outcome is compared with these
  learning::training_logs logs;
  std::vector<blob> candidates; // files to judge on `logs`; empty: train
};

/// Works on one job and then ends.
class training_state {
public:
  using self_pointer = training_actor::stateful_pointer<training_state>;

  training_state() = default;
  const char* name = "training";

  void start(self_pointer self, context_ptr node, training_order order);
  caf::result<training_status> receive(const train_piece& piece);
  /// Hands the next reads to the predictor. The training begins after the last of them.
  void warm();
  void work();

private:
  void counted(const past_receipt& receipt);
  void not_counted(const caf::error& reason);
  expected<learning::judged_models> outcome();
  expected<learning::trained_models> newest_candidate() const;
  learning::models_config config() const;
  caf::error nothing_usable() const;
  void note_counts();

  self_pointer self_ = nullptr;
  context_ptr node_;
  training_order order_;
  learning::access_history received_{4};
  std::unique_ptr<access_reader> reader_;
  uint32_t next_piece_ = 0;
  uint64_t withheld_ = 0; // because of a policy, or because their users were forgotten
  std::vector<uint32_t> order_of_time_;
  size_t warmed_ = 0; // how many of them were handed to the predictor
  int tries_ = 0;
};

/// Detached outside of tests: it blocks for as long as the training takes, with the lowest priority.
training_actor::behavior_type training(training_actor::stateful_pointer<training_state> self, context_ptr node,
                                       training_order order);

} // namespace gnomon
