#pragma once

#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// How the rest of the node lists this copy: in its counters, in the shard's catalog, and in the trees of anti-entropy.
/// Tells them what has changed since they were told last.
class shadow_listing : public shadow_part {
public:
  explicit shadow_listing(shadow_core& core) : shadow_part(core) {}

  /// `in_catalog`: the shard counts a copy of the item.
  void start(bool in_catalog) {
    in_catalog_ = in_catalog;
  }
  /// The record has been read. What the shard knows of this copy was noted and counted when it was found in the store,
  /// or by an earlier shadow. While the stores are being read this one may come first. And what has been lost since is
  /// taken back.
  void agree_with_catalog();
  /// The shard counted this copy, which was damaged, when it read its slice.
  void count_as_listed();
  /// What this copy adds to the node's counters and to its catalog follows its role.
  void adjust_counters();
  /// Anti-entropy hears what is synced, once for each change.
  void note_copy();
  /// A crash may have lost the last note.
  void note_again();

private:
  copy_note current_note() const;

  bool in_catalog_ = false;
  holder_state counted_role_ = holder_state::left; // what this copy adds to the node's counters
  uint64_t counted_bytes_ = 0;
  size_t counted_versions_ = 0;
  bool counted_deleted_ = false;
  uint32_t counted_until_ = 0;
  copy_note noted_; // what anti-entropy knows of this copy
};

} // namespace gnomon
