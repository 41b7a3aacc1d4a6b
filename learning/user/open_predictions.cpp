#include "learning/user/open_predictions.hpp"

#include <algorithm>

namespace gnomon::learning {

void open_predictions::add(std::string_view user, const std::vector<guess>& guesses, uint32_t due) {
  if (followed_.size() >= capacity_ || guesses.empty())
    return;
  followed f;
  f.user = user;
  f.due = due;
  f.guesses = guesses;
  f.hits.assign(guesses.size(), 0);
  open_[f.user].push_back(first_ + followed_.size());
  followed_.push_back(std::move(f));
}

void open_predictions::came(std::string_view user, uint32_t item, uint32_t time, calibrator& next, calibrator& useful) {
  auto open = open_.find(std::string{user});
  if (open == open_.end())
    return;
  const auto numbers = open->second; // finishing takes them out
  for (auto number : numbers) {
    auto& f = followed_[number - first_];
    for (size_t k = 0; k < f.guesses.size(); ++k) {
      const bool hit = f.guesses[k].item == item;
      if (f.accesses == 0)
        next.add(f.guesses[k].next_logit, hit);
      if (hit && time <= f.due)
        f.hits[k] = 1;
    }
    if (++f.accesses == window_.accesses)
      finish(number, useful);
  }
}

void open_predictions::finish(uint64_t number, calibrator& useful) {
  auto& f = followed_[number - first_];
  if (f.done)
    return;
  for (size_t k = 0; k < f.guesses.size(); ++k)
    if (!f.guesses[k].read_lately)
      useful.add(f.guesses[k].useful_logit, f.hits[k] != 0);
  auto open = open_.find(f.user);
  std::erase(open->second, number);
  if (open->second.empty())
    open_.erase(open);
  f = {};
  f.done = true;
}

void open_predictions::advance(uint32_t time, calibrator& useful) {
  while (!followed_.empty() && (followed_.front().done || followed_.front().due < time)) {
    finish(first_, useful);
    followed_.pop_front();
    ++first_;
  }
}

void open_predictions::forget(std::string_view user) {
  auto open = open_.find(std::string{user});
  if (open == open_.end())
    return;
  for (auto number : open->second) {
    followed_[number - first_] = {};
    followed_[number - first_].done = true;
  }
  open_.erase(open);
}

void open_predictions::remove(const std::vector<bool>& gone) {
  for (auto& f : followed_)
    for (auto& g : f.guesses)
      if (g.item < gone.size() && gone[g.item])
        g.item = no_index;
}

void open_predictions::clear() {
  first_ += followed_.size();
  followed_.clear();
  open_.clear();
}

} // namespace gnomon::learning
