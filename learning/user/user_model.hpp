#pragma once

#include "learning/user/open_predictions.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace gnomon::learning {

struct user_model_config {
  size_t max_users = 200'000; // beyond that, those not seen for the longest time make room
  size_t max_items = 500'000; // beyond that, a sixteenth makes room: those not read for the longest time
  counter_config counts;
  candidate_config candidates;
  useful_window window;
  size_t guesses = 20;    // most guesses of one prediction
  size_t track_every = 4; // one prediction in so many is followed up to keep the probabilities calibrated
  size_t max_tracked = 20'000;
};

/// Which items will this user read next? Learns from every access at once, gives guesses with calibrated probabilities,
/// and follows some of its guesses up to keep them calibrated. Works from the first access on, and gets better when
/// trained parts are adopted. Owns the users' histories; nothing else in it names a user. Not thread-safe: one owner,
/// such as the predictor actor.
class user_model {
public:
  explicit user_model(const user_model_config& config = {});

  /// The user reads the item. `region` is any small number for the region; `time` is in seconds since 1970 UTC.
  void observe(std::string_view user, std::string_view item, uint8_t region, uint32_t time);

  /// The same for a past read, for instance from an uploaded file. Such reads come in order of time, and go before
  /// newer ones in a history. With `rehearse`, a prediction is made after the read, as it would have been made then,
  /// and the accesses that follow in the file give its outcome. Call `end_past` after the last one.
  void observe_past(std::string_view user, std::string_view item, uint8_t region, uint32_t time, bool rehearse);
  void end_past();

  /// Guesses for the user's next accesses, likeliest first; empty for an unknown user. Valid until the next call.
  const std::vector<guess>& predict(std::string_view user);
  /// The same for a caller who only asks: up to `wanted` guesses, none of which is followed up.
  const std::vector<guess>& guesses_about(std::string_view user, size_t wanted);
  /// The name of a guess's item.
  std::string_view item_name(uint32_t item) const {
    return items_.name(item);
  }

  /// Puts trained parts into service. States of users are computed again when they are needed.
  void adopt(const model_parts& parts);
  const model_parts& parts() const {
    return parts_;
  }

  /// Removes the user's history, and subtracts what it added to the counters, as far as it is still there. False when
  /// the user was not known.
  bool forget(std::string_view user);

  /// Number of guesses whose outcome is known: shows how well founded the probabilities are.
  size_t outcomes() const {
    return useful_.outcomes();
  }
  size_t users() const {
    return users_.size();
  }
  size_t items() const {
    return items_.names();
  }
  /// Of memory, about; without the adopted parts.
  size_t bytes() const {
    return items_.bytes() + users_.bytes() + past_.bytes() + counts_.bytes();
  }
  const user_record* find(std::string_view user) const {
    return users_.find(user);
  }
  const counters& counts() const {
    return counts_;
  }
  /// The candidates of the last prediction.
  const prediction_space& space() const {
    return space_;
  }
  uint32_t item_index(std::string_view item) const {
    return items_.find(item);
  }

  /// Everything learned online (items, histories, counters, calibration), without the adopted parts, as sealed pieces
  /// of kind user_state that follow one another in a file. Learning may go on between two pieces. After `forget`,
  /// saving has to begin again. Empty when there are no more pieces.
  void begin_saving();
  std::string next_piece();
  /// All pieces at once.
  std::string to_file();
  /// Replaces what was learned online by a file's content. On an error (bad_message) nothing changes. The calibration
  /// is used once the parts that it belongs to are adopted.
  caf::error restore(std::string_view file);

private:
  /// The calibration, and the version of the parts whose scores it is about.
  struct calibration {
    uint64_t version = 0;
    calibrator next, useful;
  };
  /// The progress of a save.
  struct saving {
    uint8_t part = 0;
    size_t position = 0;
    double when = 0;
    std::vector<uint32_t> erased; // items whose names were removed since it began
  };

  void learn(std::string_view user, user_record& record, uint32_t item, uint8_t region, uint32_t time);
  void follow(std::string_view user, open_predictions& open, uint32_t time);
  uint32_t place_for(std::string_view item, uint32_t time);
  bool make_room(uint32_t time);
  void sweep(size_t rows);
  void take_up(const calibration& c);
  uint32_t clock_of(uint32_t time) const;

  size_t save_head(writer& out);
  size_t save_items(writer& out);
  size_t save_users(writer& out);
  size_t save_pairs(writer& out);
  size_t save_end(writer& out);
  void load_piece(uint8_t part, reader& in);
  void load_head(reader& in);
  void load_items(reader& in);
  void load_users(reader& in);
  void load_end(reader& in);

  user_model_config config_;
  id_table items_;
  history_store users_;
  history_store past_; // accesses of a file, of users with newer ones
  counters counts_;
  model_parts parts_;
  uint32_t network_version_ = 0;
  calibrator next_, useful_;
  std::unique_ptr<calibration> restored_; // for parts that are not adopted yet
  prediction_space space_;
  std::vector<guess> guesses_;
  open_predictions open_, past_open_;
  uint64_t observed_ = 0, predicted_ = 0;
  std::vector<bool> gone_; // items whose names were removed; empty when nothing refers to any of them
  size_t swept_ = 0;       // rows, then users, that no longer refer to them
  uint32_t oldest_ = 0;    // last read of the items that were removed last
  saving saving_;
};

} // namespace gnomon::learning
