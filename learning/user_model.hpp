#pragma once

#include "learning/user_predictor.hpp"

#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace gnomon::learning {

struct user_model_config {
  size_t max_users = 200'000; // with the longest unseen making room
  size_t max_items = 500'000; // further items are not learned from
  counter_config counts;
  candidate_config candidates;
  useful_window window;
  size_t guesses = 20;    // most guesses of one prediction
  size_t track_every = 4; // one prediction in so many is followed up to keep the probabilities honest
  size_t max_tracked = 20'000;
};

/// Which items will this user read next? Learns from every access at once, serves guesses with calibrated
/// probabilities, and follows up on some of its guesses to keep them calibrated. Works from the first access on; gets
/// better when trained parts are adopted. Owns the users' histories; nothing else that it keeps names a user. Not
/// thread-safe: one owner, such as the predictor actor.
class user_model {
public:
  explicit user_model(const user_model_config& config = {});

  /// The user reads the item. `region` is any small number for the region; `time` is in seconds since 1970 UTC.
  void observe(std::string_view user, std::string_view item, uint8_t region, uint32_t time);

  /// Guesses for the user's next accesses, likeliest first; empty for an unknown user. Valid until the next call.
  const std::vector<guess>& predict(std::string_view user);
  /// The name of a guess's item.
  const std::string& item_name(uint32_t item) const {
    return items_.name(item);
  }

  /// Puts trained parts into service; states of users are worked out again as they come by.
  void adopt(const model_parts& parts);
  const model_parts& parts() const {
    return parts_;
  }

  /// Removes the user's history, and takes what it added to the counters back as far as it is still there. False when
  /// the user was not known.
  bool forget(std::string_view user);

  /// Guesses whose outcome is known: how well founded the probabilities are.
  size_t outcomes() const {
    return useful_.outcomes();
  }
  size_t users() const {
    return users_.size();
  }
  size_t items() const {
    return items_.size();
  }
  const user_record* find(std::string_view user) const {
    return users_.find(user);
  }
  const counters& counts() const {
    return counts_;
  }
  /// What the last prediction looked at.
  const prediction_space& space() const {
    return space_;
  }
  uint32_t item_index(std::string_view item) const {
    return items_.find(item);
  }

  /// Everything learned online (items, histories, counters, calibration) as a sealed file of kind user_state; without
  /// the adopted parts.
  std::string to_file() const;
  /// Replaces what was learned online by a file's content. On an error (bad_message) nothing changes.
  caf::error restore(std::string_view file);

private:
  /// A prediction whose outcome is awaited.
  struct tracked {
    std::string user;
    uint32_t due = 0; // when the useful window ends
    size_t accesses = 0;
    bool done = false; // waits only for those before it
    std::vector<guess> guesses;
    std::vector<char> hits;
  };
  void track(std::string_view user, const user_record& record);
  void follow_up(std::string_view user, uint32_t item, uint32_t time);
  void finish(uint64_t number);
  void finish_due(uint32_t time);
  uint32_t clock_of(uint32_t time) const;

  user_model_config config_;
  id_table items_;
  history_store users_;
  counters counts_;
  model_parts parts_;
  uint32_t network_version_ = 0;
  calibrator next_, useful_;
  prediction_space space_;
  std::vector<guess> guesses_;
  std::deque<tracked> tracked_;
  uint64_t first_tracked_ = 0;                                  // number of tracked_.front()
  std::unordered_map<std::string, std::vector<uint64_t>> open_; // by user: tracked predictions, oldest first
  uint64_t observed_ = 0, predicted_ = 0;
};

} // namespace gnomon::learning
