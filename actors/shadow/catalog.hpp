#pragma once

#include "actors/messages/cluster_messages.hpp"
#include "storage/packed_map.hpp"
#include "storage/record.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gnomon {

/// The last changes of a slice, packed. At least `kept` of them.
class recent_rows {
public:
  explicit recent_rows(size_t kept) : kept_(kept), page_rows_(std::max<size_t>(1, kept / 8)) {}
  void add(const catalog_row& row);
  size_t size() const {
    return pages_.empty() ? 0 : (pages_.size() - 1) * page_rows_ + in_last_;
  }
  /// Up to `limit` rows behind the first `skipped` ones.
  std::vector<catalog_row> behind(size_t skipped, size_t limit) const;
  /// Of memory, about.
  size_t bytes() const {
    return bytes_;
  }

private:
  size_t kept_, page_rows_;
  std::deque<std::string> pages_; // all but the last have page_rows_ rows
  size_t in_last_ = 0;
  size_t bytes_ = 0;
};

/// What this node holds of one slice. Its recent changes are numbered, so that peers can ask for those they lack.
class catalog_log {
public:
  explicit catalog_log(size_t kept_changes = 4096) : changes_(kept_changes) {}
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
  struct copy {
    bool deleted = false;
    uint32_t until = 0; // as in `catalog_row`
    bool operator==(const copy&) const = default;
  };
  std::optional<copy> find(const std::string& id) const;
  bool holds(const std::string& id) const {
    return held_.has(id);
  }
  /// A copy that is not a tombstone.
  bool has_value(const std::string& id) const;
  /// Calls `take` with the copies in order of their ids, beginning with the first that is not less than `from`, until
  /// it returns false.
  void each(const std::string& from, const std::function<bool(const std::string& id, const copy&)>& take) const;
  size_t size() const {
    return held_.size();
  }
  /// Of memory, about.
  size_t bytes() const;
  /// The changes after `since`. The whole slice behind `after`, when these changes are no longer kept or `whole` is
  /// set.
  catalog_delta delta(uint64_t since, bool whole, const std::string& after, size_t limit) const;

private:
  uint64_t head_ = 0;
  uint64_t digest_ = 0;
  void set(const std::string& id, const copy& held);

  packed_map held_;
  recent_rows changes_; // the last one has number head_
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
    return rows_.has(id);
  }
  /// Calls `take` with each id that another node is believed to hold.
  void each(const listener& take) const;
  /// The time before which none of the other nodes' copies ends by itself, in seconds since 1970; 0: none ever does.
  uint32_t first_end(const std::string& id) const;
  /// Calls `take` with each id that begins with `prefix` and of which another node is believed to hold more than a
  /// tombstone.
  void each_value(const std::string& prefix, const listener& take) const;
  void forget(const std::string& node);
  size_t size() const {
    return rows_.size();
  }
  /// Of memory, about.
  size_t bytes() const {
    return rows_.bytes();
  }

private:
  using numbers = std::unordered_map<std::string, uint16_t>;
  /// One node's copy.
  struct entry {
    uint16_t node = 0; // its number
    bool deleted = false;
    uint32_t until = 0; // as in `catalog_row`
  };
  using row = std::vector<entry>;
  row find(const std::string& id) const;
  static row unpack(std::string_view kept);
  static std::string pack(const row& entries);
  uint16_t number_in(numbers& all, const std::string& node);
  void forget(numbers& all, const std::string& node);
  void set(const catalog_row& row, uint16_t node);

  std::vector<std::string> nodes_; // by number; free ones are empty
  numbers current_, incoming_;     // each node's number, and that of a whole slice that is not complete yet
  packed_map rows_;
  listener changed_;
};

} // namespace gnomon
