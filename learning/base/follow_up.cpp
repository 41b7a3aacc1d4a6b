#include "learning/base/follow_up.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon::learning {

namespace {

constexpr float hardly_less = 0.7f;
constexpr uint32_t looks = 48; // at open guesses, within the longest horizon; oftener while they are few

// Reads come densely after a guess and thin out: about as the logarithm of time.
float passed(uint32_t age, uint32_t horizon) {
  constexpr float unit = 2 * 3600;
  return std::log1p(static_cast<float>(age) / unit) / std::log1p(static_cast<float>(horizon) / unit);
}

} // namespace

follow_up::follow_up(std::vector<uint32_t> horizons, size_t capacity)
    : horizons_(std::move(horizons)), capacity_(capacity), settled_(horizons_.size(), 0) {}

void follow_up::add(std::string key, uint32_t time, std::vector<float> logits, std::vector<float> features) {
  if (full())
    return;
  open_[key].push_back(first_ + guesses_.size());
  guesses_.push_back({std::move(key), time, 0, std::move(logits), std::move(features)});
}

bool follow_up::follows(const std::string& key, float logit) const {
  auto open = open_.find(key);
  return open != open_.end() && std::any_of(open->second.begin(), open->second.end(), [&](auto number) {
           return guesses_[number - first_].logits.front() > logit - hardly_less;
         });
}

void follow_up::came(const std::string& key, uint32_t time) {
  auto open = open_.find(key);
  if (open == open_.end())
    return;
  // Only the first read after a guess matters; the entry itself waits for the longest horizon.
  for (auto number : open->second)
    guesses_[number - first_].read = std::max(time, 1u);
  open_.erase(open);
}

void follow_up::advance(uint32_t time, std::span<calibrator> calibration) {
  for (size_t h = 0; h < horizons_.size(); ++h) {
    settled_[h] = std::max(settled_[h], first_);
    for (; settled_[h] < first_ + guesses_.size(); ++settled_[h]) {
      const auto& g = guesses_[settled_[h] - first_];
      const auto end = g.time + horizons_[h];
      if (end >= time)
        break;
      calibration[h].add(g.logits[h], g.read != 0 && g.read <= end);
    }
  }
  forget_settled();
  if (time < shown_ + horizons_.back() / looks && added() < 2 * shown_upto_)
    return;
  shown_ = time;
  shown_upto_ = std::max<uint64_t>(added(), 32);
  show_open(time, calibration);
}

void follow_up::forget_settled() {
  const auto settled = *std::min_element(settled_.begin(), settled_.end());
  while (!guesses_.empty() && first_ < settled) {
    if (auto open = open_.find(guesses_.front().key); open != open_.end() && open->second.front() == first_) {
      open->second.erase(open->second.begin());
      if (open->second.empty())
        open_.erase(open);
    }
    guesses_.pop_front();
    ++first_;
  }
}

void follow_up::show_open(uint32_t time, std::span<calibrator> calibration) const {
  for (size_t h = 0; h < horizons_.size(); ++h) {
    open_outcomes open;
    for (auto number = settled_[h]; number < first_ + guesses_.size(); ++number) {
      const auto& g = guesses_[number - first_];
      const auto age = time > g.time ? time - g.time : 0;
      open.add(g.logits[h], g.read != 0 && g.read <= g.time + horizons_[h], passed(age, horizons_[h]));
    }
    calibration[h].fit(std::move(open));
  }
}

void follow_up::rescore(
    const std::function<void(const std::vector<float>& features, std::vector<float>& logits)>& score) {
  for (auto& g : guesses_)
    score(g.features, g.logits);
  std::fill(settled_.begin(), settled_.end(), first_);
}

} // namespace gnomon::learning
