#pragma once

#include "learning/base/calibration.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace gnomon::learning {

/// Guesses that a thing is read within certain times, until that is known: what becomes of them keeps probabilities
/// honest. Bounded. Not thread-safe.
class follow_up {
public:
  /// `horizons`: the times, ascending, in seconds. At most `capacity` guesses are followed at once.
  follow_up(std::vector<uint32_t> horizons, size_t capacity);

  bool full() const {
    return guesses_.size() >= capacity_;
  }
  /// A guess about `key` is open that was hardly less sure of the shortest time.
  bool follows(const std::string& key, float logit) const;
  /// Guesses ever followed.
  uint64_t added() const {
    return first_ + guesses_.size();
  }
  /// Of a guess about `key`: a logit for each horizon, and what it was made from, if it may be scored anew. Nothing
  /// happens when it is full.
  void add(std::string key, uint32_t time, std::vector<float> logits, std::vector<float> features = {});
  /// `key` is read: guesses about it have come true as far as their time is not over.
  void came(const std::string& key, uint32_t time);
  /// Hands over what is known by `time`, and now and then what open guesses show: `calibration` has one for each
  /// horizon.
  void advance(uint32_t time, std::span<calibrator> calibration);
  /// Another model is in service: it says what it would have said.
  void rescore(const std::function<void(const std::vector<float>& features, std::vector<float>& logits)>& score);

private:
  struct guess {
    std::string key;
    uint32_t time = 0, read = 0; // read: the first time after it, 0 for not yet
    std::vector<float> logits, features;
  };
  void forget_settled();
  void show_open(uint32_t time, std::span<calibrator> calibration) const;

  std::vector<uint32_t> horizons_;
  size_t capacity_;
  std::deque<guess> guesses_;
  uint64_t first_ = 0;                                          // number of guesses_.front()
  std::vector<uint64_t> settled_;                               // by horizon: those below this number are known
  std::unordered_map<std::string, std::vector<uint64_t>> open_; // not read yet, oldest first
  uint32_t shown_ = 0;                                          // when open ones were last looked at,
  uint64_t shown_upto_ = 0;                                     // and how many there had been by then
};

} // namespace gnomon::learning
