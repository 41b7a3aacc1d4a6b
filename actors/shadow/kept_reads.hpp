#pragma once

#include "actors/messages/messages.hpp"

#include <list>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gnomon {

/// Reads that the read index answered for items whose shadows sleep: their counts and last times, one entry an item,
/// until the shadow wakes for another reason. Bounded: the entry that was not added to for the longest time makes room.
/// Pure.
class kept_reads {
public:
  explicit kept_reads(size_t most) : most_(most) {}

  /// Adds a read. `ttl` of the copy's lease; zero: it has no end. Returns the entry that had to make room.
  std::optional<access_sample> add(const access_sample& read, duration ttl);
  /// Removes and returns the entry of the item.
  std::optional<access_sample> take(const std::string& id);
  /// Removes and returns the entries whose first read here is at least half a lease ago.
  std::vector<access_sample> take_due(timestamp now);
  size_t size() const {
    return kept_.size();
  }

private:
  struct kept {
    access_sample sum;
    timestamp due = timestamp::max();
    std::list<std::string>::iterator place; // in order_
  };
  std::unordered_map<std::string, kept> kept_;
  std::list<std::string> order_; // least recently added to first
  std::set<std::pair<timestamp, std::string>> due_;
  size_t most_;
};

} // namespace gnomon
