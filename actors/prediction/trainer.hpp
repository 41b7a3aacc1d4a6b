#pragma once

#include "actors/prediction/training.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gnomon {

/// Has models trained by `training` actors, one job at a time. Puts better models into service, keeps the last versions
/// in the store, and exchanges them with the other regions as ordinary items.
class trainer_state {
public:
  using self_pointer = trainer_actor::stateful_pointer<trainer_state>;

  trainer_state() = default;
  ~trainer_state();
  const char* name = "trainer";

  void start(self_pointer self, context_ptr node);
  caf::result<training_status> receive(const train_piece& piece);
  caf::result<training_status> status(uint64_t number) const;
  training_list jobs() const;
  void learn(const access_batch& batch);
  void learn(const region_accesses& report);
  void forget(const std::string& user);
  void look();
  void refresh();

private:
  using time_point = caf::actor_clock::time_point;

  // jobs
  bool busy() const {
    return job_ && !job_->over();
  }
  void begin(training_phase phase, std::vector<blob> candidates);
  void settle();
  void end_stalled_upload();
  void train_on_what_was_seen();

  // models
  void restore();
  void restore_next(std::shared_ptr<std::vector<uint64_t>> versions);
  void serve(learning::trained_models models);
  void keep(const training_result& result);

  // other regions
  void publish();
  void write_models(version_vector seen);
  void look_elsewhere();
  void ask_for_models(const std::string& region, bool values);
  void consider(const std::string& region, const item_versions& found);

  store_actor store() const {
    return node_->handles.get()->stores.front();
  }

  self_pointer self_ = nullptr;
  context_ptr node_;
  bool begun_ = false;
  learning::access_history history_{4};
  memory_use::share memory_;
  uint64_t trained_upto_ = 0; // how many accesses had been added when the last training on them began
  time_point last_training_{};
  std::shared_ptr<training_job> job_; // the newest, even when it is over
  training_actor worker_;
  bool upload_ = false; // job_ is a client's upload
  time_point heard_{};  // last piece of the upload under way
  std::deque<std::shared_ptr<training_job>> jobs_;
  uint64_t last_number_ = 0;
  learning::trained_models running_;
  std::vector<uint64_t> kept_; // versions in the store, newest first
  blob unpublished_;           // trained here, and not yet an item
  bool publishing_ = false;
  time_point looked_elsewhere_{};
  std::map<std::string, std::string> judged_; // etag of the models that were judged last, by region
};

trainer_actor::behavior_type trainer(trainer_actor::stateful_pointer<trainer_state> self, context_ptr node);

/// The most reads that trainer and predictor count for one sample or report, so that a burst teaches no more.
inline constexpr uint32_t most_of_one = 8; // reads of one sample or report: a burst teaches no more

/// The item through which a region's models reach the others.
std::string models_item(std::string_view region);
/// True for such an item. Nothing is learned from reads of it.
bool is_models_item(std::string_view id);

} // namespace gnomon
