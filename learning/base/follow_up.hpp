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

/// Guesses that a thing is read within certain times, until the outcome is known. The outcomes keep probabilities
/// calibrated. Bounded. Not thread-safe.
class follow_up {
public:
  /// `horizons`: the times, ascending, in seconds. At most `capacity` guesses are followed at once.
  follow_up(std::vector<uint32_t> horizons, size_t capacity);

  bool full() const {
    return guesses_.size() >= capacity_;
  }
  /// True when a guess about `key` is open that was hardly less sure about the shortest time.
  bool follows(const std::string& key, float logit) const;
  /// Number of guesses ever followed.
  uint64_t added() const {
    return first_ + guesses_.size();
  }
  /// Adds a guess about `key`: a logit for each horizon, and its features, if it may be scored again. Does nothing when
  /// it is full.
  void add(std::string key, uint32_t time, std::vector<float> logits, std::vector<float> features = {});
  /// `key` is read: guesses about it whose time is not over have come true.
  void came(const std::string& key, uint32_t time);
  /// Hands over the outcomes known by `time`, and from time to time the state of open guesses. `calibration` has one
  /// entry for each horizon.
  void advance(uint32_t time, std::span<calibrator> calibration);
  /// Another model is in service: open guesses get the logits that it would have given.
  void rescore(const std::function<void(const std::vector<float>& features, std::vector<float>& logits)>& score);

private:
  struct guess {
    std::string key;
    uint32_t time = 0, read = 0; // read: the time of the first read after it, 0 for none yet
    std::vector<float> logits, features;
  };
  void forget_settled();
  void show_open(uint32_t time, std::span<calibrator> calibration) const;

  std::vector<uint32_t> horizons_;
  size_t capacity_;
  std::deque<guess> guesses_;
  uint64_t first_ = 0;                                          // number of guesses_.front()
  std::vector<uint64_t> settled_;                               // by horizon: outcomes below this number are known
  std::unordered_map<std::string, std::vector<uint64_t>> open_; // not read yet, oldest first
  uint32_t shown_ = 0;                                          // when open guesses were last handed over,
  uint64_t shown_upto_ = 0;                                     // and how many there had been by then
};

} // namespace gnomon::learning
