// What a shadow does with the other holders: giving, merging, becoming one, replicating, leaving.
#include "actors/shadow/shadow.hpp"

#include "actors/shadow/catalog.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

// -- what other holders ask

// -- leases

// -- what follows a change

void shadow_state::persist(std::function<void()> after) {
  after_sync_.push_back(std::move(after));
  if (!syncing_)
    sync();
}

/// A store that fails ends this shadow: the next one starts from what the disk really has.
void shadow_state::sync() {
  auto batch = item().take_changes(now(), this_node().config.join_timeout);
  auto run_all = [steps = std::exchange(after_sync_, {})] {
    for (const auto& run : steps)
      if (run)
        run();
  };
  if (batch.puts.empty() && batch.erases.empty())
    return run_all();
  syncing_ = true;
  auto next = item().present() ? std::make_shared<const item_versions>(item().snapshot()) : nullptr;
  auto copy = item().present() ? std::make_shared<const item_copy>(item().copy()) : nullptr;
  if (this_node().config.fault == deliberate_fault::publish_before_sync)
    show(next, copy);
  self()
      ->request(this_node().store(item().record().id), caf::infinite, std::move(batch))
      .then(
          [this, next, copy, drops = item().drops(), run_all = std::move(run_all)](store_receipt&) {
            syncing_ = false;
            if (drops == item().drops()) // else readers would find what the next sync takes from the disk
              show(next, copy);
            run_all();
            residency.apply_residency();
            if (!syncing_ && !after_sync_.empty())
              sync();
          },
          [this](const caf::error& reason) {
            log::error("shadow", "not-stored", {{"id", item().record().id}, {"reason", sentence_of(reason)}});
            fail_readers(reason);
            writes.fail_all(reason);
            updates.fail_merging(reason);
            self()->quit(reason);
          });
}

void shadow_state::hide() {
  core_.visible = nullptr;
  core_.synced = nullptr;
  this_node().index.erase(item().record().id);
}

/// What is synced becomes visible: to readers, the read index, the catalog and the feed.
void shadow_state::show(std::shared_ptr<const item_versions> versions, std::shared_ptr<const item_copy> copy) {
  auto changed = !versions != !visible() || (versions && versions->versions != visible()->versions);
  auto before = std::exchange(core_.visible, std::move(versions));
  core_.synced = std::move(copy);
  listing.adjust_counters();
  listing.note_copy();
  if (visible() || changed)
    publish();
  if (!changed || !visible())
    return;
  answer_readers();
  feed.tell(before.get());
}

/// Puts the synced copy into the read index. Several versions, tombstones, versions that expire by themselves and those
/// with a context that is too long for a client are left to the shadow.
void shadow_state::publish() {
  const auto& id = item().record().id;
  auto plain = visible() && !is_behind() && visible()->versions.siblings.size() == 1 && !visible()->versions.deleted()
               && visible()->versions.siblings.front().expires == timestamp{}
               && visible()->versions.context.size() <= max_context_entries;
  if (!plain || !may_hold(this_node().self.node))
    return this_node().index.erase(id);
  auto ttl = item().role() == holder_state::shadow && !item().record().pinned ? item().record().lease.ttl : duration{};
  auto last_read = static_cast<int64_t>(item().record().lease.last_read.time_since_epoch().count());
  if (auto before = this_node().index.peek(id)) {
    last_read = std::max(last_read, before->last_read_ms.load(std::memory_order_relaxed));
    if (before->ttl == ttl && before->versions.versions == visible()->versions)
      return;
  }
  auto entry = std::make_shared<index_entry>();
  entry->versions = *visible();
  entry->ttl = ttl;
  entry->costs = costs_of(this_node(), lifetime.facts());
  entry->prefetched = visible()->copy == copy_kind::prefetched;
  entry->last_read_ms.store(last_read, std::memory_order_relaxed);
  this_node().index.put(std::move(entry));
}

} // namespace gnomon
