#include "learning/demand/prefetch_threshold.hpp"

#include <algorithm>

namespace gnomon::learning {

namespace {

constexpr double fade = 1 - 1.0 / 2000; // outcomes remembered
constexpr double first_copies = 2;      // that may go unread before anything is known
constexpr double doubt_weight = 30;     // expected reads: as much as they counts what is believed before outcomes tell
constexpr double sure = 0.95;           // let through even then: without outcomes nothing would ever change
constexpr double firmness = 10;         // how far the threshold moves for what waste leaves free, or takes too much

} // namespace

void prefetch_threshold::believe(double honesty) {
  doubt_ = std::clamp(honesty, 0.1, 1.0);
}

void prefetch_threshold::issue(double confidence) {
  open_ += 1;
  open_said_ += confidence;
}

void prefetch_threshold::withdraw(double confidence) {
  open_ = std::max(0.0, open_ - 1);
  open_said_ = std::max(0.0, open_said_ - confidence);
}

void prefetch_threshold::settle(double confidence, bool used) {
  withdraw(confidence);
  outcomes_ = outcomes_ * fade + 1;
  used_ = used_ * fade + (used ? 1 : 0);
  said_ = said_ * fade + confidence;
}

double prefetch_threshold::honesty() const {
  return std::min(1.0, (used_ + doubt_ * doubt_weight) / (said_ + doubt_weight));
}

double prefetch_threshold::threshold() const {
  const double copies = outcomes_ + open_ + 1;
  const double wasted = outcomes_ - used_ + open_ - open_said_ * honesty();
  const double free = (waste_ * copies + first_copies - wasted) / copies;
  // A copy that goes unread as often as is allowed never does harm. Where waste leaves something free, less likely
  // ones pass: in proportion, because an even threshold serves better than one that jumps.
  const double least = 1 - waste_ - firmness * free;
  return std::min(std::max(least, confidence_) / honesty(), std::max(sure, confidence_));
}

double prefetch_threshold::wasted_share() const {
  return outcomes_ > 0 ? 1 - used_ / outcomes_ : 0;
}

} // namespace gnomon::learning
