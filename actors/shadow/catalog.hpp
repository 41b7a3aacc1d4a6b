#pragma once

#include "actors/messages/cluster_messages.hpp"
#include "storage/record.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace gnomon {

/// What this node holds of one slice. Its recent changes are numbered, so that peers can ask for those they lack.
class catalog_log {
public:
  explicit catalog_log(size_t kept_changes = 4096) : kept_(kept_changes) {}
  /// The store was found to hold `id` when it was read. This is no change.
  void found(const std::string& id, bool deleted, uint32_t until = 0);
  /// Changes continue after number `head`, which peers may have reached before the node stopped.
  void resume(uint64_t head) {
    head_ += head;
  }
  /// Notes a change and returns its number. Does nothing when it is known already.
  uint64_t record(const catalog_row& row);
  /// False when the row says only that the copy ends later, and its known end is still more than half as far away as
  /// the new one. So a lease that each read renews is told twice in its length, not once a read. `now` in seconds since
  /// 1970.
  bool is_news(const catalog_row& row, uint32_t now) const;
  uint64_t head() const {
    return head_;
  }
  /// Equal for equal sets of rows, whatever their order and the ends of their leases.
  uint64_t digest() const {
    return digest_;
  }
  bool holds(const std::string& id) const {
    return held_.count(id) > 0;
  }
  /// A copy that is not a tombstone.
  bool has_value(const std::string& id) const {
    auto i = held_.find(id);
    return i != held_.end() && !i->second.deleted;
  }
  struct copy {
    bool deleted = false;
    uint32_t until = 0; // as in `catalog_row`
    bool operator==(const copy&) const = default;
  };
  /// The copies by id.
  const std::map<std::string, copy>& held() const {
    return held_;
  }
  /// The changes after `since`. The whole slice behind `after`, when these changes are no longer kept or `whole` is
  /// set.
  catalog_delta delta(uint64_t since, bool whole, const std::string& after, size_t limit) const;

private:
  size_t kept_;
  uint64_t head_ = 0;
  uint64_t digest_ = 0;
  std::map<std::string, copy> held_;
  std::deque<catalog_row> changes_; // the last one has number head_
};

/// When the copy of the record at `node` may end by itself, as in `catalog_row`: when its lease ends or its first
/// version expires. A copy without a lease that has no such version: 0.
uint32_t end_of_copy(const item_record& record, const std::string& node);

/// The earlier of two such ends.
inline uint32_t earlier_end(uint32_t a, uint32_t b) {
  return a == 0 || b == 0 ? a | b : std::min(a, b);
}

/// Adds a row to the digest of a set of them, or removes it.
uint64_t digest_with(uint64_t digest, const std::string& id, bool deleted);

/// What other nodes hold of one slice. For routing only: it may be stale. While a whole slice arrives page by page, the
/// earlier knowledge about its node is kept beside it.
class catalog_view {
public:
  /// `changed` is called with each id whose holders may have changed, after the change.
  using listener = std::function<void(const std::string& id)>;
  explicit catalog_view(listener changed = {}) : changed_(std::move(changed)) {}
  void apply(const std::string& node, const catalog_delta& delta, bool first_page);
  /// Nodes believed to hold `id`, in order of their names; with `values_only`, no tombstones.
  std::vector<std::string> holders(const std::string& id, bool values_only = false) const;
  bool holds(const std::string& node, const std::string& id, bool values_only = false) const;
  bool has(const std::string& id) const {
    return rows_.count(id) > 0;
  }
  /// Calls `take` with each id that another node is believed to hold.
  void each(const listener& take) const {
    for (const auto& [id, row] : rows_)
      take(id);
  }
  /// The time before which none of the other nodes' copies ends by itself, in seconds since 1970; 0: none ever does.
  uint32_t first_end(const std::string& id) const;
  /// Calls `take` with each id of which another node is believed to hold more than a tombstone.
  void each_value(const listener& take) const;
  void forget(const std::string& node);
  size_t size() const {
    return rows_.size();
  }

private:
  using numbers = std::unordered_map<std::string, uint16_t>;
  struct entry {
    uint16_t node;      // its number; the highest bit marks a tombstone
    uint32_t until = 0; // as in `catalog_row`
  };
  uint16_t number_in(numbers& all, const std::string& node);
  void forget(numbers& all, const std::string& node);
  static const entry* find(const numbers& all, const std::string& node, const std::vector<entry>& row);
  void set(const catalog_row& row, uint16_t node);

  std::vector<std::string> nodes_; // by number; free ones are empty
  numbers current_, incoming_;     // each node's number, and that of a whole slice that is not complete yet
  std::unordered_map<std::string, std::vector<entry>> rows_;
  listener changed_;
};

} // namespace gnomon
