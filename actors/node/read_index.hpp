#pragma once

#include "actors/messages/messages.hpp"
#include "learning/economy/copy_value.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace gnomon {

/// The current, synced value of one item. Immutable except for the time of its last read. Published by the item's
/// shadow.
struct index_entry {
  item_versions versions;                       // served_by is this node
  duration ttl{};                               // of the lease; zero: durable, no end
  learning::copy_costs costs;                   // of the copy
  bool prefetched = false;                      // the copy was made ahead by a prediction and not yet read
  mutable std::atomic<int64_t> last_read_ms{0}; // node clock; a hit renews the lease by storing its time here
  bool lease_runs(timestamp now) const {
    return ttl.count() == 0
           || now.time_since_epoch().count() <= last_read_ms.load(std::memory_order_relaxed) + ttl.count();
  }
  size_t bytes() const; // in memory, about

  /// What a gateway sends before the value: `render` makes it when the entry is served for the first time. Thread-safe.
  template <class Render>
  const std::string& head(Render render) const {
    std::call_once(rendered_, [&] { head_ = render(versions); });
    return head_;
  }

private:
  mutable std::once_flag rendered_;
  mutable std::string head_;
};

/// Items that can be answered without queueing: id -> entry, bounded in bytes. S3-FIFO (Yang et al., SOSP 2023) evicts,
/// so a scan does not push out items that are read again. Thread-safe: 16 parts, each with a short lock and a sixteenth
/// of the bytes. An entry larger than that is not kept.
class read_index {
public:
  explicit read_index(uint64_t max_bytes);
  ~read_index();
  /// The entry, or null. Marks it as used.
  std::shared_ptr<const index_entry> find(std::string_view id) const;
  /// The same without marking it: for the shadow, which asks when the item was last read.
  std::shared_ptr<const index_entry> peek(std::string_view id) const;
  /// Replaces the entry of the same id, if the new one fits. Otherwise the id has no entry afterwards.
  void put(std::shared_ptr<const index_entry> entry);
  void erase(std::string_view id);
  /// Its item is idle. Once a part is a quarter full, entries of idle items that nobody has found go, until the part is
  /// nearly empty.
  void let_go(std::string_view id);
  /// Erases all entries for which `unwanted` is true. Entries that are put meanwhile may stay.
  void erase_if(const std::function<bool(const item_versions&)>& unwanted);
  void clear();
  uint64_t bytes() const;
  size_t size() const;

private:
  struct part;
  template <class Condition>
  void erase(std::string_view id, Condition unwanted);
  part& part_of(uint64_t hash) const;
  std::unique_ptr<part[]> parts_;
};

} // namespace gnomon
