#pragma once

#include "runtime/base/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gnomon {

/// One change: sets `key` to `value`, or erases it. The bytes that the views name must live until the write is done.
struct kv_write {
  std::string_view key;
  std::optional<std::string_view> value; // none: erase
};

struct kv_page {
  std::vector<std::pair<std::string, std::string>> entries;
  bool more = false; // the range has more entries after the last one
};

/// The identity of a store. `incarnation` is random and drawn when the store is created, so a store that was lost and
/// made again is never taken for the old one. `start` counts how often it was opened.
struct store_identity {
  uint64_t incarnation = 0;
  uint64_t start = 0;
  auto fields() {
    return std::tie(incarnation, start);
  }
};

/// A part of a store that can no longer be read: some of the entries at first <= key < last are lost.
struct kv_loss {
  std::string first;
  std::string last; // empty: to the end
  std::string reason;
  bool operator==(const kv_loss&) const = default;
};

/// An ordered map from byte strings to byte strings that survives the process. Blocks while it works. Not thread-safe:
/// one owner, one call at a time. After a failed write, reads go on, and later writes may succeed as soon as the disk
/// takes them. Damage is no error of a read: entries in a damaged part count as erased, no older value appears in their
/// place, and `losses` names the part.
class kv_store {
public:
  virtual ~kv_store() = default;

  /// Applies all writes in order, atomically, and returns once they are synced. Errors: store_failed, after which it is
  /// unknown whether the writes will be there after a restart; store_corrupt.
  virtual expected<void> apply(std::span<const kv_write> writes) = 0;

  /// The value, or none when there is no such key. Errors: store_failed, store_corrupt.
  virtual expected<std::optional<std::string>> get(std::string_view key) = 0;

  /// Entries with first <= key < last in order; an empty `last`: to the end. At most `limit`, and after one entry at
  /// most `max_page_bytes`. Without values if `keys_only`. Errors: store_failed, store_corrupt.
  virtual expected<kv_page> scan(std::string_view first, std::string_view last, size_t limit, bool keys_only) = 0;

  /// Of this opening. `begin_incarnation` changes it from the next opening on.
  virtual store_identity identity() const = 0;

  /// False while the disk takes no writes; reads go on. Each `apply` tries again.
  virtual bool takes_writes() const {
    return true;
  }

  /// False when the disk was too full to note this start. It will be noted before the first write.
  virtual bool start_is_noted() const {
    return true;
  }

  /// The damage that was found since this opening, in the order in which it was found. Any call may add to it.
  virtual const std::vector<kv_loss>& losses() const;

  /// What it takes of the process's memory, about.
  virtual uint64_t memory_bytes() const {
    return 0;
  }

  static constexpr size_t max_page_bytes = 16u << 20;
};

/// Counts a new start of `store`, and draws its incarnation if it has none. Synced before this returns. Every
/// implementation calls it once when it is opened. Errors: those of `kv_store`.
expected<store_identity> begin_start(kv_store& store);

/// Draws a new incarnation for `store`, which was restored from a backup or a copy. So nothing that it names from now
/// on has the name of something it wrote after that backup. Synced before this returns. Errors: those of `kv_store`.
expected<store_identity> begin_incarnation(kv_store& store);

/// Opens the LevelDB in the directory `path`, or creates it. On a full disk it opens for reading, and takes writes once
/// there is space; its identity is then stored with the first write. Damaged tables are skipped when they are met.
/// Errors name the path and what to do: store_locked (a process holds it), store_corrupt (damage where acknowledged
/// writes would be lost without notice: log, manifest, a missing table), store_failed (a file in place of the
/// directory, read-only, ...).
expected<std::unique_ptr<kv_store>> open_level_store(const std::string& path);

} // namespace gnomon
