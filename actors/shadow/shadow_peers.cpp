// What a shadow does with the other holders: giving, merging, becoming one, replicating, leaving.
#include "actors/shadow/shadow.hpp"

#include "actors/shadow/catalog.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

// -- what other holders ask

/// With `join` the requester is durably among the holders before it gets the value; only synced versions are given.
void shadow_state::give(const fetch_item& request, answer<item_copy> reply) {
  if (!visible_)
    return reply.fail(make_error(ec::not_here, "no copy here"));
  auto is_holder = item_->record().holders.state_of(request.requester) != holder_state::left;
  auto deleted = is_tombstone(visible_->versions);
  auto final = request.without_values || !may_be_behind(); // else the item may have been written again elsewhere
  if (deleted && final && (request.join || !(is_holder || request.tombstones)))
    return reply.fail(visible_->versions.siblings.empty() ? make_error(ec::not_here, "the item has expired")
                                                          : make_error(ec::gone, "the item was deleted"));
  if (request.join && !may_hold(request.requester))
    return reply.fail(node_->kept_away_from(request.requester));
  auto deliver = [this, request, reply] {
    if (!visible_)
      return reply.fail(make_error(ec::not_here, "no copy here"));
    if (request.join && is_forbidden(request.requester, item_->versions()))
      return reply.fail(node_->kept_away_from(request.requester));
    auto copy = request.requester == node_->self.node ? *synced_ : within_a_message(*synced_);
    copy.holders = item_->record().holders;
    copy.stale = may_be_behind();
    if (request.without_values)
      copy.values.assign(copy.values.size(), blob{});
    for (const auto& value : copy.values)
      node_->counters.bytes_out.fetch_add(value.size(), std::memory_order_relaxed);
    reply.give(std::move(copy));
  };
  if (!request.join || deleted)
    return deliver();
  item_->add_joining(request.requester); // the others hear of it from the requester; until then updates go by here
  persist(deliver);
}

/// A late write elsewhere may not have arrived yet. A node that gets a copy from here has to know that.
bool shadow_state::may_be_behind() const {
  return (!node_->is_fresh() || is_behind()) && node_->config.fault != deliberate_fault::freshness_not_carried;
}

/// A joining copy merges as well; only a node without any record refuses.
void shadow_state::merge(const replicate_item& request, answer<replicate_ack> reply) {
  if (item_->role() == holder_state::left && node_->config.fault == deliberate_fault::accept_without_joining)
    item_->settle(holder_state::shadow, {});
  else if (item_->role() == holder_state::left)
    return reply.fail(make_error(ec::not_here, "no copy here"));
  if (!may_take(request.copy.versions))
    return reply.fail(node_->kept_away());
  if (!replica::complete(request.copy))
    return complete_update(request, std::move(reply));
  for (const auto& value : request.copy.values)
    node_->counters.bytes_in.fetch_add(value.size(), std::memory_order_relaxed);
  auto changed = take_in(request.copy);
  auto context = item_->versions().context;
  auto rest = others();
  std::erase_if(rest, [&](const std::string& node) {
    return node == request.from
           || std::find(request.going_to.begin(), request.going_to.end(), node) != request.going_to.end();
  });
  if (changed)
    item_->owe(rest);
  std::erase_if(merging_, [](const auto& other) { return other.given(); });
  merging_.push_back(reply);
  persist([this, reply, context, changed, rest] {
    reply.give({context, item_->record().holders, counts()});
    answer_readers();
    for (const auto& node : rest)
      if (changed)
        send_update(node, traffic::repair);
  });
}

void shadow_state::accept(const invite_copy& request, answer<invite_answer> reply) {
  if (!may_hold(node_->self.node))
    return reply.give({false, "a residency rule keeps the item away from " + node_->self.region, {}});
  if (request.lease.reason == lease_reason::access)
    note_reader_elsewhere();
  if (request.state == holder_state::shadow && !item_->present() && node_->is_full()) {
    node_->counters.shadows_refused.fetch_add(1, std::memory_order_relaxed);
    return reply.give({false, "node " + node_->self.node + " holds as much as store.max_bytes allows", {}});
  }
  if (item_->present()) {
    if (request.state == holder_state::durable && item_->role() == holder_state::shadow)
      item_->promote();
    else if (item_->role() == holder_state::shadow && request.lease.reason == lease_reason::request)
      item_->renew_lease(settled(request.lease).ttl, request.lease.reason);
    persist([this, reply, giver = request.giver] {
      reply.give({true, {}, standing()});
      publish();
      auto rest = others();
      std::erase(rest, giver);
      tell_holders(rest, item_->record().holders);
    });
    return;
  }
  auto terms = request.lease;
  terms.created = terms.last_read = now();
  auto then = [this, reply, giver = request.giver](const copy_search&) {
    item_->present() ? reply.give({true, {}, standing()})
                     : reply.give({false, "the item could not be fetched from node " + giver, {}});
  };
  auto predicted = terms.reason == lease_reason::prediction; // then a prefetcher of this node invites, not the giver
  find_copy({true, request.state, terms}, audience::known, predicted ? traffic::prefetch : traffic::repair,
            request.giver, then);
  if (!predicted)
    search_->inviters.insert(request.giver);
}

/// A reader of this region has read the item at the giver, where DNS or a redirect had sent it. What is predicted here
/// follows from what the readers of this region want, wherever they got it.
void shadow_state::note_reader_elsewhere() {
  if (auto agent = node_->handles.get()->agent)
    self_->send(agent, access_batch{{{.id = item_->record().id, .user = {}, .at = now()}}});
}

void shadow_state::learn_holders(const update_holders& request, answer<holders_ack> reply) {
  if (item_->role() == holder_state::left)
    return reply.give({});
  item_->merge(request.holders);
  if (request.refused || request.forbidden) {
    behind_.merge(request.context);
    rests_until_ = now() + keys::longest_pause;
    publish();
  }
  if (request.forbidden && request.counts && !item_->versions().context.covers(request.context)
      && request.context.covers(item_->versions().context)) { // the past of what is kept elsewhere
    drop();
    return reply.give({});
  }
  persist();
  reply.give(standing());
  acknowledge(request.from, request.context, request.counts);
  if (visible_ && request.context.covers(item_->versions().context))
    settle_debt(request.from);
}

/// `node` missed an update: it gets the versions as they are now. Without a copy the hint has lost its meaning.
void shadow_state::hand_off(const std::string& node) {
  hints_.handed_off(node);
  if (visible_ && item_->record().holders.state_of(node) != holder_state::left)
    send_update(node, traffic::repair);
  else
    settle_debt(node);
}

void shadow_state::meet_twin(const std::string& node) {
  if (visible_ && item_->record().holders.state_of(node) == holder_state::left)
    tell_holders({node}, item_->record().holders);
}

/// When it answers that it holds nothing, it leaves the holders; so does one that was taken out for good.
void shadow_state::verify(const std::string& node) {
  if (item_->role() == holder_state::left || item_->record().holders.state_of(node) == holder_state::left)
    return;
  node_->is_removed(node) ? mark_left(node, item_->epoch_of(node)) : tell_holders({node}, item_->record().holders);
}

// -- leases

/// An entry of the expiry index that the record does not know of would wake this shadow for ever.
void shadow_state::expiry_due(timestamp at) {
  if (!loaded_)
    return waiting_for_load_.push_back([this, at] { expiry_due(at); });
  auto corrupt = broken_ && code_of(broken_) == ec::store_corrupt;
  if (corrupt || (!broken_ && !syncing_ && item_->record().indexed != at)) {
    store_batch stray;
    stray.erases.push_back(keys::expiry(at, item_->record().id));
    caf::anon_send(node_->store(item_->record().id), std::move(stray));
  }
  if (!broken_)
    check_expiry();
}

void shadow_state::check_expiry() {
  if (item_->role() == holder_state::left || (search_ && !item_->present()))
    return; // a search is making this copy; the collector comes again
  if (auto entry = node_->index.peek(item_->record().id))
    item_->note_reads(0, timestamp{duration{entry->last_read_ms.load(std::memory_order_relaxed)}}, 0);
  review_lifetime();
  item_->expire_versions(now()); // what it leaves behind when none remain is reaped like a tombstone
  if (item_->lease_over(now(), node_->config.join_timeout) && !search_)
    return drop();
  if (item_->present() && !may_hold(node_->self.node)) {
    if (item_->review_due(now())) {
      item_->reviewed(node_->config.join_timeout);
      persist();
    }
    return move_away();
  }
  review_debts();
  item_->reviewed(node_->config.join_timeout);
  persist();
}

/// Forgets the copy, confirms that to the other holders, and lets go of the memory.
void shadow_state::drop() {
  auto id = item_->record().id;
  log::debug("shadow", "dropped", {{"id", id}, {"role", gnomon::name(item_->role())}});
  visible_ = nullptr;
  synced_ = nullptr;
  node_->index.erase(id);
  auto told = item_->drop();
  persist([this, told] {
    node_->counters.shadows_dropped.fetch_add(1, std::memory_order_relaxed);
    tell_holders(told.current(), told);
  });
}

// -- what follows a change

/// Sends what changed to the store; once it is synced, the state of now becomes visible and `after` runs. One batch is
/// under way at a time: a later record names the values of an earlier one, so it must not be stored where that failed.
void shadow_state::persist(std::function<void()> after) {
  after_sync_.push_back(std::move(after));
  if (!syncing_)
    sync();
}

/// A store that fails ends this shadow: the next one starts from what the disk really has.
void shadow_state::sync() {
  auto batch = item_->take_changes(now(), node_->config.join_timeout);
  auto run_all = [steps = std::exchange(after_sync_, {})] {
    for (const auto& run : steps)
      if (run)
        run();
  };
  if (batch.puts.empty() && batch.erases.empty())
    return run_all();
  syncing_ = true;
  auto next = item_->present() ? std::make_shared<const item_versions>(item_->snapshot()) : nullptr;
  auto copy = item_->present() ? std::make_shared<const item_copy>(item_->copy()) : nullptr;
  if (node_->config.fault == deliberate_fault::publish_before_sync)
    show(next, copy);
  self_->request(node_->store(item_->record().id), caf::infinite, std::move(batch))
      .then(
          [this, next, copy, drops = item_->drops(), run_all = std::move(run_all)](store_receipt&) {
            syncing_ = false;
            if (drops == item_->drops()) // else readers would find what the next sync takes from the disk
              show(next, copy);
            run_all();
            apply_residency();
            if (!syncing_ && !after_sync_.empty())
              sync();
          },
          [this](const caf::error& reason) {
            log::error("shadow", "not-stored", {{"id", item_->record().id}, {"reason", sentence_of(reason)}});
            fail_readers(reason);
            writes_->fail_all(reason);
            for (auto& update : merging_)
              update.fail(reason);
            self_->quit(reason);
          });
}

/// What is synced becomes visible: to readers, the read index, the catalog and the feed.
void shadow_state::show(std::shared_ptr<const item_versions> versions, std::shared_ptr<const item_copy> copy) {
  auto changed = !versions != !visible_ || (versions && versions->versions != visible_->versions);
  auto before = std::exchange(visible_, std::move(versions));
  synced_ = std::move(copy);
  adjust_counters();
  note_copy();
  if (visible_ || changed)
    publish();
  if (!changed || !visible_)
    return;
  answer_readers();
  tell_feed(before.get());
}

/// Merges another holder's copy. True when versions changed. Later writes here get stamps above all that it brings:
/// last writer wins would lose an item whose versions succeed each other in another order than their stamps.
bool shadow_state::take_in(const item_copy& copy) {
  for (const auto& s : copy.versions.siblings)
    stamps_.observe(s.stamp);
  return item_->merge(copy, rules().conflicts);
}

/// Merges what `node` knows of the holders. When it is behind on this copy, it is told again.
void shadow_state::merge_holders(const std::string& node, const holder_map& theirs) {
  item_->merge(theirs);
  auto mine = item_->record().holders.find(node_->self.node);
  auto there = theirs.find(node_->self.node);
  if (mine && there && *there < *mine)
    persist([this, node] { tell_holders({node}, item_->record().holders); });
  else
    persist();
}

/// Puts the synced copy into the read index. Several versions, tombstones, versions that expire by themselves and those
/// with a context that is too long for a client are left to the shadow.
void shadow_state::publish() {
  const auto& id = item_->record().id;
  auto plain = visible_ && !is_behind() && visible_->versions.siblings.size() == 1 && !visible_->versions.deleted()
               && visible_->versions.siblings.front().expires == timestamp{}
               && visible_->versions.context.size() <= max_context_entries;
  if (!plain || !may_hold(node_->self.node))
    return node_->index.erase(id);
  auto ttl = item_->role() == holder_state::shadow && !item_->record().pinned ? item_->record().lease.ttl : duration{};
  auto last_read = static_cast<int64_t>(item_->record().lease.last_read.time_since_epoch().count());
  if (auto before = node_->index.peek(id)) {
    last_read = std::max(last_read, before->last_read_ms.load(std::memory_order_relaxed));
    if (before->ttl == ttl && before->versions.versions == visible_->versions)
      return;
  }
  auto entry = std::make_shared<index_entry>();
  entry->versions = *visible_;
  entry->ttl = ttl;
  entry->costs = costs_of(*node_, facts());
  entry->prefetched = visible_->copy == copy_kind::prefetched;
  entry->last_read_ms.store(last_read, std::memory_order_relaxed);
  node_->index.put(std::move(entry));
}

/// What this copy adds to the node's counters and to its catalog follows its role.
void shadow_state::adjust_counters() {
  auto role = item_->present() ? item_->role() : holder_state::left;
  auto bytes = item_->present() ? item_->bytes() : 0;
  auto& c = node_->counters;
  auto holds = role != holder_state::left;
  auto held = counted_role_ != holder_state::left;
  auto deleted = holds && is_tombstone(item_->versions());
  c.items += static_cast<uint64_t>(holds) - static_cast<uint64_t>(held);
  c.shadows += static_cast<uint64_t>(role == holder_state::shadow)
               - static_cast<uint64_t>(counted_role_ == holder_state::shadow);
  c.bytes += bytes - counted_bytes_;
  auto versions = holds ? item_->versions().siblings.size() : 0;
  if (std::max(versions, counted_versions_) > 1)
    node_->crowded.note(item_->record().id, versions, bytes);
  counted_role_ = role;
  counted_bytes_ = bytes;
  counted_versions_ = versions;
  auto until = holds ? end_of_copy(item_->record(), node_->self.node) : 0;
  auto lives_otherwise = std::exchange(counted_until_, until) != until;
  if (std::exchange(counted_deleted_, deleted) != deleted || holds != held || lives_otherwise)
    self_->send(shard_, catalog_row{item_->record().id, holds, deleted, until});
}

} // namespace gnomon
