// What keeps a shadow's item the same everywhere, and ends it: telling anti-entropy, meeting a copy that differs,
// reaping.
#include "actors/shadow/shadow.hpp"

#include "actors/shadow/reaping.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

// -- anti-entropy ----------------------------------------------------------------------------------------------------

copy_note shadow_state::current_note() const {
  if (!item_->present())
    return {item_->record().id, false, 0, {}, false};
  auto note = note_of(item_->record(), *node_);
  note.steward |= has_to_demote();
  return note;
}

/// Anti-entropy hears what is synced, once for each change.
void shadow_state::note_copy() {
  auto note = current_note();
  if (note == noted_)
    return;
  noted_ = note;
  self_->send(node_->handles.get()->anti_entropy, copy_notes{{std::move(note)}, false});
}

/// The trees differ at this item. The note is sent again in any case: a crash may have lost the one before.
void shadow_state::compare_with(const std::string& node) {
  if (!syncing_) { // else what is synced next is noted anyway
    noted_ = {};
    note_copy();
  }
  if (!visible_)
    return;
  auto ours = item_->record().holders;
  tell_holder(node, ours, [this, node, ours](const holders_ack& ack) {
    if (!ack.holds || ack.holders != ours || !visible_ || ack.context != visible_->versions.context)
      return;
    // Only the versions can differ: a rule for conflicts has changed, and each kept others.
    send_update(node, traffic::repair);
    pull_from(node);
  });
}

// -- reaping: the steward --------------------------------------------------------------------------------------------

void shadow_state::do_steward_duty() {
  if (visible_ && is_tombstone(visible_->versions))
    reap();
  else if (has_to_demote())
    demote_one();
  else
    dismiss_surplus();
}

void shadow_state::reap() {
  if (reaping_ || !visible_ || reaper_of(item_->record()) != node_->self.node)
    return;
  auto context = visible_->versions.context;
  if (!holds_exactly(context) || age_of(item_->record(), now()) < node_->config.reap_after)
    return;
  // A region that the record does not name may hold the item all the same: it began there as well during a partition,
  // joined elsewhere again after it had left, or came back with an older disk. Every region has to answer.
  std::vector<std::string> strangers;
  auto view = node_->cluster.get();
  if (view->peers.empty() && view->unmet_seeds > 0)
    return; // anti-entropy reminds us of it again
  for (const auto& peer : view->peers)
    if (item_->record().holders.state_of(peer.identity.node) == holder_state::left)
      strangers.push_back(peer.identity.node);
  reaping_ = std::make_unique<reaping>(context, strangers);
  go_on_reaping();
}

void shadow_state::go_on_reaping() {
  if (!reaping_)
    return;
  if (!holds_exactly(reaping_->context()))
    reaping_->give_up();
  auto move = reaping_->next(others());
  switch (move.what) {
  case reaping::step::wait:
    return;
  case reaping::step::ask:
    for (const auto& node : move.nodes)
      send_order(node, move.word);
    return;
  case reaping::step::give_up:
    return reaping_.reset(); // anti-entropy reminds us of it again
  case reaping::step::forget:
    reaping_.reset();
    return forget({});
  }
}

void shadow_state::send_order(const std::string& node, steward_word word) {
  ask_peer<steward_answer>(
      node, traffic::repair, steward_order{item_->record().id, node_->self.node, reaping_->context(), word},
      [this, node, word, epoch = item_->epoch_of(node)](const steward_answer& answer) {
        answered(node, word, epoch, answer);
      },
      [this, node, word, epoch = item_->epoch_of(node)](const caf::error&) {
        if (node_->config.fault == deliberate_fault::reap_on_lease_expiry
            && item_->record().holders.state_of(node) == holder_state::shadow)
          return answered(node, word, epoch, steward_answer{false, holder_state::left, {}, {}, 0});
        reaping_->failed();
        go_on_reaping();
      });
}

void shadow_state::answered(const std::string& node, steward_word word, uint32_t epoch, const steward_answer& answer) {
  reaping_->heard(node, word, answer);
  if (item_->role() == holder_state::left) {
    reaping_->give_up();
    return go_on_reaping();
  }
  if (answer.role == holder_state::left)
    mark_left(node, epoch); // its own word
  else
    item_->merge(answer.holders);
  if (answer.role != holder_state::left && answer.context != reaping_->context())
    tell_holders({node}, item_->record().holders);
  persist([this] { go_on_reaping(); });
}

// -- reaping: the other holders --------------------------------------------------------------------------------------

void shadow_state::execute_order(const steward_order& order, answer<steward_answer> reply) {
  switch (order.word) {
  case steward_word::confirm:
    return reply.give(how_things_stand(holds_exactly(order.context)));
  case steward_word::reap:
    if (!holds_exactly(order.context))
      return reply.give(how_things_stand(false));
    return forget([this, reply] { reply.give(how_things_stand(true)); });
  case steward_word::guard:
    return reply.give(how_things_stand(guard(order)));
  case steward_word::demote:
    return be_demoted(order, reply);
  case steward_word::release:
    promises_.release(order.from);
    return reply.give(how_things_stand(true));
  case steward_word::report:
    return reply.give(how_things_stand(true));
  case steward_word::dismiss:
    return be_dismissed(order, reply);
  case steward_word::drop:
    return be_dropped(reply);
  }
  reply.fail(make_error(ec::bad_message, "an order that this node does not know; update it"));
}

/// True when this tombstone is all that is here, on disk and on its way.
bool shadow_state::holds_exactly(const version_vector& context) const {
  auto quiet = !search_ && writes_->empty() && !syncing_;
  return quiet && visible_ && is_tombstone(visible_->versions) && visible_->versions.context == context
         && item_->versions().context == context;
}

steward_answer shadow_state::how_things_stand(bool done) const {
  return {done, item_->role(), visible_ ? visible_->versions.context : version_vector{}, item_->record().holders,
          item_->record().wanted.at(now())};
}

/// Nobody is told: all who were holders forget the item too.
void shadow_state::forget(std::function<void()> after) {
  const auto& id = item_->record().id;
  log::debug("shadow", "reaped", {{"id", id}});
  visible_ = nullptr;
  synced_ = nullptr;
  node_->index.erase(id);
  item_->drop();
  node_->counters.reaped.fetch_add(1, std::memory_order_relaxed);
  persist(std::move(after));
}

} // namespace gnomon
