#pragma once

#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace gnomon::wan {

/// The writes that were acknowledged, and what has to be read for each. Thread-safe.
class ledger {
public:
  /// 1 KiB that only this id and round have.
  static std::string value_of(const std::string& id, int round = 0) {
    auto value = id + "#" + std::to_string(round) + ":";
    std::minstd_rand bytes{static_cast<unsigned>(std::hash<std::string>{}(value))};
    while (value.size() < 1024)
      value.push_back(static_cast<char>('a' + bytes() % 26));
    return value;
  }
  void acknowledged(const std::string& id, int round = 0) {
    std::lock_guard lock{mutex_};
    if (rounds_.insert_or_assign(id, round).second)
      ids_.push_back(id);
  }
  /// What a reader has to get.
  std::string expected(const std::string& id) const {
    std::lock_guard lock{mutex_};
    return value_of(id, rounds_.at(id));
  }
  template <class Random>
  std::string any(Random& random) const {
    std::lock_guard lock{mutex_};
    return ids_.empty() ? std::string{} : ids_[random() % ids_.size()];
  }
  std::vector<std::string> ids() const {
    std::lock_guard lock{mutex_};
    return ids_;
  }
  size_t size() const {
    std::lock_guard lock{mutex_};
    return ids_.size();
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> ids_;
  std::map<std::string, int> rounds_;
};

} // namespace gnomon::wan
