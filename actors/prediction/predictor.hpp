#pragma once

#include "actors/messages/answer.hpp"
#include "actors/node/node_context.hpp"
#include "actors/prediction/state_file.hpp"
#include "learning/demand/demand_model.hpp"
#include "learning/user/user_model.hpp"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace gnomon {

/// Learns from each access, and predicts what will be read in this region next.
class predictor_state {
public:
  using self_pointer = predictor_actor::stateful_pointer<predictor_state>;

  predictor_state() = default;
  ~predictor_state();
  const char* name = "predictor";

  void start(self_pointer self, context_ptr node);
  void learn(const access_batch& batch);
  void go_on();
  void learn_from(region_accesses report);
  past_receipt learn_past(const past_accesses& upload);
  /// Does it at once or, while the file of what was learned is still being read, after that.
  void when_read(std::function<void()> next);
  void predict(const get_prediction& request, answer<prediction> reply);
  void forget(const forget_user& request, answer<forget_receipt> reply);
  void report();
  void take_over_models();
  void end_overdue_trials();
  void keep_now_and_then();
  /// Writes what is not written yet, then ends.
  void save_and_quit(const caf::error& reason);

private:
  using time_point = caf::actor_clock::time_point;

  void learn_read(const access_sample& sample, bool infer, prefetch_wishes& wishes);
  void wish_for_user(const std::string& user, uint32_t time, prefetch_wishes& wishes);
  void try_guess(const std::string& id, float useful, uint32_t time, prefetch_wishes& wishes);
  bool is_expected_here(float useful) const;
  bool lately_read_here(const std::string& id, uint32_t time) const;
  void wish_for_region(const std::string& id, uint32_t time, prefetch_wishes& wishes);
  void note(const access_sample& sample);
  void hand_over(prefetch_wishes wishes);
  uint8_t region_number(const std::string& region);
  void locate_items(std::shared_ptr<prediction> found, answer<prediction> reply);

  // what was learned, in a file
  void open_file();
  void take_up(learned_state found);
  std::string head() const;
  void save();
  void write_piece();
  void end_save(const caf::error& problem);

  self_pointer self_ = nullptr;
  context_ptr node_;
  std::unique_ptr<learning::user_model> users_;
  std::unique_ptr<learning::demand_model> demand_;
  memory_use::share memory_;
  learning::id_table regions_{learning::max_demand_regions}; // 0 is this one
  std::map<std::string, item_accesses> unreported_;
  /// Guesses about items that nobody here has read for as long as a copy lives, and whether each is read while its copy
  /// would live. Only these outcomes show what a copy is worth: most other guesses are about items that are here
  /// already.
  learning::follow_up trials_{{86'400}, 0};
  std::array<learning::calibrator, 1> worth_{learning::calibrator{5000}}; // by the logit of what the user model said
  uint64_t model_ = 0;                                                    // version of the models taken over last
  std::shared_ptr<const learning::model_parts> user_parts_;
  std::shared_ptr<const learning::demand_parts> demand_parts_;
  std::deque<access_sample> waiting_; // to be learned from
  bool going_on_ = false;

  state_file_actor file_; // null: nothing is kept
  std::shared_ptr<learned_state> found_;
  bool reading_ = false, saving_ = false;
  std::vector<std::function<void()>> asked_; // while the file was being read
  bool changed_ = false;                     // since the last save began
  bool anew_ = false;                        // what is being saved has to be saved again from the beginning
  uint32_t piece_ = 0;
  time_point save_began_{}, next_save_{};
  std::vector<std::function<void(bool kept)>> after_save_;
  caf::error leaving_; // why the actor ends, once everything is written
};

/// False for accesses that a policy excludes from learning.
bool may_learn(const node_context& node, const std::string& id, const std::string& user);

/// What is counted about items, and for how long a read leaves a copy. The same in service and in training.
learning::demand_config demand_config_of(const settings& config);
learning::user_model_config user_config_of(const settings& config);

predictor_actor::behavior_type predictor(predictor_actor::stateful_pointer<predictor_state> self, context_ptr node);

} // namespace gnomon
