#pragma once

#include "actors/messages/change_messages.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace gnomon {

/// Brings the steps of many nodes' copies into one sequence of changes: each change once, none before what it has seen.
/// A step that brings more than one write, or comes before what it builds on, waits for the missing ones: they are on
/// their way from the nodes that took them. When they do not come, it is told with their number. Pure.
class change_order {
public:
  using time = std::chrono::steady_clock::time_point;
  struct told {
    item_step step;
    uint64_t missed = 0; // writes that the step brings beside its own, and that were not told
  };

  /// `patience`: how long a step waits. `most`: items remembered; the longest unchanged ones are forgotten.
  explicit change_order(duration patience, size_t most = 100'000) : patience_(patience), most_(most) {}
  std::vector<told> take(item_step step, time now);
  /// What has waited for too long.
  std::vector<told> overdue(time now);
  /// Those who follow the items have had a gap, and see what there is: what they were told before counts no more.
  void begin_anew() {
    items_.clear();
    until_.clear();
  }

private:
  struct item {
    version_vector seen; // by those who follow it
    std::string etag;    // of the last step that was told
    bool deleted = false;
    struct waiting_step {
      time until;
      item_step step;
    };
    std::vector<waiting_step> waiting;
    uint64_t used = 0;
  };
  static bool is_next(const item& all, const item_step& step);
  static void tell(item& all, item_step step, std::vector<told>& out);
  static void tell_what_is_next(item& all, std::vector<told>& out);
  void forget_some();

  const duration patience_;
  const size_t most_;
  uint64_t uses_ = 0;
  std::unordered_map<std::string, item> items_;
  std::multimap<time, std::string> until_;
};

} // namespace gnomon
