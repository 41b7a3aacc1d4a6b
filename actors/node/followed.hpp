#pragma once

#include "actors/messages/change_messages.hpp"
#include "runtime/base/published.hpp"

#include <atomic>
#include <set>
#include <string>

namespace gnomon {

/// Items that somebody in the cluster follows. The feed sets them, shadows ask. Thread-safe.
class followed {
public:
  void set(const followed_items& all);
  bool matches(const std::string& id) const {
    return any_.load(std::memory_order_relaxed) && matches_any(*items_.get(), id);
  }

private:
  struct index {
    std::set<std::string> ids;
    std::vector<std::string> prefixes;
  };
  static bool matches_any(const index& all, const std::string& id);

  std::atomic<bool> any_{false};
  published<index> items_;
};

bool matches(const followed_items& items, const std::string& id);

} // namespace gnomon
