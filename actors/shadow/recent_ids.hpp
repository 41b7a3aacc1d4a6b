#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

namespace gnomon {

/// The ids that were added within the last while. Of more than `most` it forgets which they are, and then takes any id
/// for one of them. Times are `steady_ms`.
class recent_ids {
public:
  explicit recent_ids(int64_t while_ms = 0, size_t most = 4096) : while_(while_ms), most_(most) {}
  void add(const std::string& id, int64_t now) {
    if (times_.size() >= most_)
      forget_old(now);
    if (times_.size() >= most_) {
      times_.clear();
      any_until_ = now + while_;
    }
    times_[id] = now;
  }
  bool has(const std::string& id, int64_t now) const {
    auto i = times_.find(id);
    return knows_too_many(now) || (i != times_.end() && now - i->second <= while_);
  }
  /// It takes any id for one of them now.
  bool knows_too_many(int64_t now) const {
    return now <= any_until_;
  }
  void each(const std::function<void(const std::string&)>& take) const {
    for (const auto& [id, at] : times_)
      take(id);
  }
  void forget_old(int64_t now) {
    std::erase_if(times_, [&](const auto& entry) { return now - entry.second > while_; });
  }

private:
  int64_t while_;
  size_t most_;
  int64_t any_until_ = -1;
  std::unordered_map<std::string, int64_t> times_;
};

} // namespace gnomon
