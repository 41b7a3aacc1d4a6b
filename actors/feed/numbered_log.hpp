#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

namespace gnomon {

/// The last `most` entries of a sequence; entry k has number k, from 1 on.
template <class T>
class numbered_log {
public:
  explicit numbered_log(size_t most) : most_(most) {}
  uint64_t add(T entry) {
    entries_.push_back(std::move(entry));
    if (entries_.size() > most_)
      entries_.pop_front();
    return ++last_;
  }
  uint64_t last() const {
    return last_;
  }
  /// True when all entries after number `after` are still here.
  bool goes_back_to(uint64_t after) const {
    return after <= last_ && last_ - after <= entries_.size();
  }
  /// Calls `use(number, entry)` with all entries after number `after`, until it returns false.
  template <class Use>
  void each_after(uint64_t after, Use use) const {
    auto first = last_ - entries_.size() + 1;
    for (auto number = std::max(after + 1, first); number <= last_; ++number)
      if (!use(number, entries_[number - first]))
        return;
  }

private:
  size_t most_;
  uint64_t last_ = 0;
  std::deque<T> entries_;
};

} // namespace gnomon
