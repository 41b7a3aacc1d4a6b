#pragma once

#include "learning/history/history.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon::learning {

/// One access with short names: user, item and region are dense indices of an access log.
struct access {
  uint32_t user = 0;
  uint32_t item = 0;
  uint32_t time = 0; // seconds since 1970 UTC; 0 throughout a log that knows only the order
  uint8_t region = 0;
  bool write = false; // a write teaches the demand model that there is something to read
};

/// Accesses to learn from, oldest first.
struct access_log {
  std::vector<access> accesses;
  uint32_t users = 0;
  uint32_t items = 0;
  bool timed = true;
  std::vector<std::string> item_names; // by index; empty where only indices are needed
  /// Sorts the accesses by time; equal times keep their order.
  void sort();
  /// The accesses [begin, end), with the items up to the greatest of them.
  access_log slice(size_t begin, size_t end) const;
};

/// Builds a log from names. It does not take users beyond four billion, and items beyond `max_items`.
class log_builder {
public:
  explicit log_builder(size_t max_items = 1'000'000);
  /// False when the tables are full; the access was then left out.
  bool add(std::string_view user, std::string_view item, std::string_view region, uint32_t time);
  uint32_t item(std::string_view name) const {
    return items_.find(name);
  }
  const id_table& regions() const {
    return regions_;
  }
  size_t size() const {
    return log_.accesses.size();
  }
  /// The log in order of time. The builder is then done.
  access_log take(bool timed);

private:
  id_table users_, items_, regions_;
  access_log log_;
};

/// A guess is useful when the user reads the item within the next 10 accesses and within this time.
struct useful_window {
  size_t accesses = 10;
  uint32_t seconds = 6 * 3600;
};

/// What each access's user did afterwards: the ground truth for training and evaluation.
class outcomes {
public:
  outcomes(const access_log& log, const useful_window& window);
  /// The user's next item after access k of the log; `no_index` when it was the last.
  uint32_t next(size_t k) const {
    return following_[k] == no_index ? no_index : log_.accesses[following_[k]].item;
  }
  /// True when the user's next access comes within the useful window.
  bool returns(size_t k) const;
  /// True when the user of access k reads `item` within the useful window after it.
  bool useful(size_t k, uint32_t item) const;

private:
  const access_log& log_;
  useful_window window_;
  std::vector<uint32_t> following_; // index of the same user's next access
};

} // namespace gnomon::learning
