#include "actors/shadow/shadow_listing.hpp"

#include "actors/shadow/catalog.hpp"
#include "actors/shadow/shadow.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

void shadow_listing::agree_with_catalog() {
  if (item().present() && in_catalog_) {
    counted_role_ = item().role();
    counted_bytes_ = item().bytes();
    counted_versions_ = item().versions().siblings.size();
    counted_deleted_ = is_tombstone(item().versions());
    noted_ = current_note();
  } else if (in_catalog_) {
    log::warn("shadow", "copy-lost", {{"id", item().record().id}});
    this_node().index.erase(item().record().id);
    counted_role_ = holder_state::durable;
    noted_.held = true;
  }
  adjust_counters();
  if (item().present() || in_catalog_)
    note_copy();
}

void shadow_listing::count_as_listed() {
  counted_role_ = item().present() ? item().role() : holder_state::left;
  counted_bytes_ = item().present() ? item().bytes() : 0;
}

void shadow_listing::adjust_counters() {
  auto role = item().present() ? item().role() : holder_state::left;
  auto bytes = item().present() ? item().bytes() : 0;
  auto& c = this_node().counters;
  auto holds = role != holder_state::left;
  auto held = counted_role_ != holder_state::left;
  auto deleted = holds && is_tombstone(item().versions());
  c.items += static_cast<uint64_t>(holds) - static_cast<uint64_t>(held);
  c.shadows += static_cast<uint64_t>(role == holder_state::shadow)
               - static_cast<uint64_t>(counted_role_ == holder_state::shadow);
  c.bytes += bytes - counted_bytes_;
  auto versions = holds ? item().versions().siblings.size() : 0;
  if (std::max(versions, counted_versions_) > 1)
    this_node().crowded.note(item().record().id, versions, bytes);
  counted_role_ = role;
  counted_bytes_ = bytes;
  counted_versions_ = versions;
  auto until = holds ? end_of_copy(item().record(), this_node().self.node) : 0;
  auto lives_otherwise = std::exchange(counted_until_, until) != until;
  if (std::exchange(counted_deleted_, deleted) != deleted || holds != held || lives_otherwise)
    self()->send(core_.shard, catalog_row{item().record().id, holds, deleted, until});
}

void shadow_listing::note_copy() {
  auto note = current_note();
  if (note == noted_)
    return;
  noted_ = note;
  self()->send(this_node().handles.get()->anti_entropy, copy_notes{{std::move(note)}, false});
}

void shadow_listing::note_again() {
  if (shadow().is_syncing()) // what is synced next is noted anyway
    return;
  noted_ = {};
  note_copy();
}

copy_note shadow_listing::current_note() const {
  if (!item().present())
    return {item().record().id, false, 0, {}, false};
  auto note = note_of(item().record(), this_node());
  note.steward |= shadow().demoting.has_to_demote();
  return note;
}

} // namespace gnomon
