#include "actors/prediction/prefetch_budget.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr double burst_seconds = 10;
constexpr double fade = 1 - 1.0 / 2000; // outcomes remembered
constexpr double first_copies = 2;      // that may go unread before anything is known
constexpr double doubt = 0.7;           // of what is said, how much is believed before outcomes tell;
constexpr double doubt_weight = 30;     // as much as that many expected reads do
constexpr double sure = 0.95;           // let through even then: without outcomes nothing would ever change
constexpr double margin = 0.9;          // of the share that may go unread

} // namespace

prefetch_budget::prefetch_budget(const prefetch_limits& limits)
    : limits_(limits), bytes_(burst_seconds * static_cast<double>(limits.bytes_per_second)) {}

bool prefetch_budget::take(uint64_t bytes, timestamp now) {
  const double rate = static_cast<double>(limits_.bytes_per_second);
  if (filled_ != timestamp{} && now > filled_)
    bytes_ = std::min(bytes_ + rate * std::chrono::duration<double>(now - filled_).count(), burst_seconds * rate);
  filled_ = now;
  if (bytes_ <= 0)
    return false;
  bytes_ -= static_cast<double>(bytes);
  return true;
}

void prefetch_budget::correct(uint64_t expected, uint64_t actual) {
  bytes_ += static_cast<double>(expected) - static_cast<double>(actual);
}

void prefetch_budget::issue(double confidence) {
  open_ += 1;
  open_said_ += confidence;
}

void prefetch_budget::withdraw(double confidence) {
  open_ = std::max(0.0, open_ - 1);
  open_said_ = std::max(0.0, open_said_ - confidence);
}

void prefetch_budget::settle(double confidence, bool used) {
  withdraw(confidence);
  outcomes_ = outcomes_ * fade + 1;
  used_ = used_ * fade + (used ? 1 : 0);
  said_ = said_ * fade + confidence;
}

double prefetch_budget::honesty() const {
  return std::min(1.0, (used_ + doubt * doubt_weight) / (said_ + doubt_weight));
}

double prefetch_budget::threshold() const {
  const double wasted = outcomes_ - used_ + open_ - open_said_ * honesty();
  const double allowed = margin * limits_.waste;
  const double room = allowed * (outcomes_ + open_ + 1) + first_copies - wasted;
  // A further copy goes unread with the probability 1 - confidence, which has to fit into the room. One that goes
  // unread less often than is allowed never does harm.
  const double least = std::min(1 - room, 1 - allowed);
  return std::min(std::max(least, limits_.confidence) / honesty(), std::max(sure, limits_.confidence));
}

double prefetch_budget::wasted_share() const {
  return outcomes_ > 0 ? 1 - used_ / outcomes_ : 0;
}

} // namespace gnomon
