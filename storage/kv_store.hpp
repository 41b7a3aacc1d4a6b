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

/// One change: sets `key` to `value`, or erases it. What the views name must live until the write is done.
struct kv_write {
  std::string_view key;
  std::optional<std::string_view> value; // none: erase
};

struct kv_page {
  std::vector<std::pair<std::string, std::string>> entries;
  bool more = false; // the range holds more behind the last entry
};

/// Who a store is. `incarnation` is random and drawn when the store is created, so that a lost and remade store never
/// passes for the old one; `start` counts how often it was opened.
struct store_identity {
  uint64_t incarnation = 0;
  uint64_t start = 0;
  auto fields() {
    return std::tie(incarnation, start);
  }
};

/// A part of a store that cannot be read any more: of what lay at first <= key < last, some is lost.
struct kv_loss {
  std::string first;
  std::string last; // empty: to the end
  std::string reason;
  bool operator==(const kv_loss&) const = default;
};

/// An ordered map from byte strings to byte strings that survives the process. Blocks while it works.
/// Not thread-safe: one owner, one call at a time. After a failed write reads go on, and later writes may succeed
/// again, as soon as the disk takes them.
/// Damage is no error of a read: what lies in a damaged part counts as erased, nothing older comes to light in its
/// place, and `losses` names the part.
class kv_store {
public:
  virtual ~kv_store() = default;

  /// Applies all writes in order, atomically, and returns once they are synced. Errors: store_failed, and nobody can
  /// tell then whether the writes will be there after a restart; store_corrupt.
  virtual expected<void> apply(std::span<const kv_write> writes) = 0;

  /// The value, or none when there is no such key. Errors: store_failed, store_corrupt.
  virtual expected<std::optional<std::string>> get(std::string_view key) = 0;

  /// Entries with first <= key < last in order; `last` empty: to the end. At most `limit` (and after one entry at most
  /// `max_page_bytes`), without values if `keys_only`. Errors: store_failed, store_corrupt.
  virtual expected<kv_page> scan(std::string_view first, std::string_view last, size_t limit, bool keys_only) = 0;

  /// As of this opening; `begin_incarnation` changes it from the next one on.
  virtual store_identity identity() const = 0;

  /// False while the disk takes no writes, for reads then go on; each `apply` looks anew.
  virtual bool takes_writes() const {
    return true;
  }

  /// False when the disk was too full to note this start; it will be noted before the first write.
  virtual bool start_is_noted() const {
    return true;
  }

  /// What was found damaged since this opening, in the order in which it was found; any call may add to it.
  virtual const std::vector<kv_loss>& losses() const;

  static constexpr size_t max_page_bytes = 16u << 20;
};

/// Counts a new start of `store` and draws its incarnation if it has none; synced before this returns. Every
/// implementation calls it once when it is opened. Errors: those of `kv_store`.
expected<store_identity> begin_start(kv_store& store);

/// Draws a new incarnation for `store`, which was restored from a backup or a copy: nothing that it names from now on
/// has the name of something it wrote after that. Synced before this returns. Errors: those of `kv_store`.
expected<store_identity> begin_incarnation(kv_store& store);

/// Opens the LevelDB in the directory `path`, or creates it. On a full disk it opens for reading, and takes writes once
/// there is space; its identity is then kept with the first of them. Damaged tables are passed over as they are met.
/// Errors, each naming the path and what to do: store_locked when a process holds it, store_corrupt when the damage is
/// where acknowledged writes would be lost unseen (log, manifest, a table that is not there), store_failed (a file,
/// read-only, ...).
expected<std::unique_ptr<kv_store>> open_level_store(const std::string& path);

} // namespace gnomon
