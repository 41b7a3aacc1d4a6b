#pragma once

#include "learning/base/calibration.hpp"
#include "learning/history/access_log.hpp"
#include "learning/user/user_predictor.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gnomon::learning {

/// Predictions that wait for their outcome. The outcomes keep both probabilities of a guess calibrated. Bounded. Not
/// thread-safe.
class open_predictions {
public:
  open_predictions(const useful_window& window, size_t capacity) : window_(window), capacity_(capacity) {}

  /// Follows the guesses about the user, until `due`.
  void add(std::string_view user, const std::vector<guess>& guesses, uint32_t due);
  /// The user reads the item.
  void came(std::string_view user, uint32_t item, uint32_t time, calibrator& next, calibrator& useful);
  /// Ends the predictions that are due by `time`.
  void advance(uint32_t time, calibrator& useful);
  void forget(std::string_view user);
  /// The items that `gone` marks will not be read any more.
  void remove(const std::vector<bool>& gone);
  void clear();

private:
  struct followed {
    std::string user;
    uint32_t due = 0; // when the useful window ends
    size_t accesses = 0;
    bool done = false; // it only waits for those before it
    std::vector<guess> guesses;
    std::vector<char> hits;
  };
  void finish(uint64_t number, calibrator& useful);

  useful_window window_;
  size_t capacity_;
  std::deque<followed> followed_;
  uint64_t first_ = 0;                                          // number of followed_.front()
  std::unordered_map<std::string, std::vector<uint64_t>> open_; // by user: oldest first
};

} // namespace gnomon::learning
