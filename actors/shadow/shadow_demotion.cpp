// How a durable copy that policy does not ask for becomes a shadow again, and how a shadow that an outage left goes.
#include "actors/shadow/shadow.hpp"

#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

bool shadow_state::has_to_demote() const {
  const auto& record = item_->record();
  if (node_->config.fault == deliberate_fault::demote_two_at_once && item_->role() == holder_state::durable)
    return record.holders.durable().size() > rules().min_copies && !is_tombstone(record.versions);
  return has_surplus(record, node_->self.node, rules().min_copies);
}

/// The last in rank that can be reached is to go, once enough others have promised to stay.
void shadow_state::demote_one() {
  if (demotion_ || !visible_ || !has_to_demote() || item_->versions().context != visible_->versions.context)
    return;
  auto ranked = item_->record().holders.durable_by_rank(item_->record().id);
  auto view = node_->cluster.get();
  std::erase_if(ranked, [&](const std::string& node) {
    auto peer = view->find(node);
    return !peer || !peer->usable();
  });
  if (ranked.empty() || ranked.size() < rules().min_copies) // with this node, one more than have to stay
    return;
  demotion_ = std::make_unique<demotion>(visible_->versions.context, std::move(ranked), rules().min_copies);
  for (const auto& node : std::vector<std::string>{demotion_->asked()}) // an answer may end the attempt
    ask_peer<steward_answer>(
        node, traffic::repair,
        steward_order{item_->record().id, node_->self.node, demotion_->context(), steward_word::guard},
        [this, node](const steward_answer& answer) {
          demotion_->heard(node, answer.done);
          go_on_demoting();
        },
        [this](const caf::error&) {
          demotion_->failed();
          go_on_demoting();
        });
  if (demotion_ && demotion_->asked().empty())
    go_on_demoting();
}

void shadow_state::go_on_demoting() {
  auto step = demotion_->next();
  if (step == demotion::step::wait)
    return;
  auto unchanged = item_->role() == holder_state::durable && item_->versions().context == demotion_->context();
  if (step == demotion::step::give_up || !unchanged)
    return end_demotion();
  ask_peer<steward_answer>(
      demotion_->leaver(), traffic::repair,
      steward_order{item_->record().id, node_->self.node, demotion_->context(), steward_word::demote},
      [this](const steward_answer& answer) {
        log::debug("shadow", "demotion",
                   {{"id", item_->record().id}, {"node", demotion_->leaver()}, {"done", answer.done}});
        if (item_->role() != holder_state::left) {
          item_->merge(answer.holders);
          persist();
        }
        end_demotion();
        if (answer.done)
          dismiss_surplus();
      },
      [this](const caf::error&) { end_demotion(); });
}

/// Those that promised to stay are free again.
void shadow_state::end_demotion() {
  auto ended = std::move(demotion_);
  for (const auto& node : ended->guards())
    ask_peer<steward_answer>(
        node, traffic::repair,
        steward_order{item_->record().id, node_->self.node, ended->context(), steward_word::release},
        [](const steward_answer&) {}, [](const caf::error&) {}); // its promise ends by itself
}

// -- the other durable holders ---------------------------------------------------------------------------------------

bool shadow_state::is_guarding() {
  return (demotion_ || promises_.hold(self_->clock().now()))
         && node_->config.fault != deliberate_fault::demote_two_at_once;
}

/// Promises `from` to stay durable, for longer than it may take to demote another one.
bool shadow_state::guard(const steward_order& order) {
  auto has_it = visible_ && visible_->versions.context.covers(order.context);
  if (item_->role() != holder_state::durable || !has_it || !may_hold(node_->self.node))
    return false;
  promises_.give(order.from, self_->clock().now() + 3 * node_->config.peer_timeout);
  return true;
}

void shadow_state::be_demoted(const steward_order& order, answer<steward_answer> reply) {
  auto same = visible_ && visible_->versions.context == order.context && item_->versions().context == order.context;
  auto quiet = writes_->empty() && !syncing_ && !search_ && !item_->record().pinned && !reaping_;
  if (item_->role() != holder_state::durable || !same || !quiet || is_guarding())
    return reply.give(how_things_stand(false));
  item_->demote(settled({lease_reason::policy, 1.0, now(), now(), rules().ttl}));
  persist([this, reply] {
    reply.give(how_things_stand(true));
    publish();
    tell_holders(others(), item_->record().holders);
  });
}

// -- shadows beyond the factor ----------------------------------------------------------------------------------------

/// What was made while a region was away, or was durable until now, goes when there are enough others. The first
/// durable holder in rank asks one shadow after the other, the last in rank first; those that were read stay.
void shadow_state::dismiss_surplus() {
  if (!visible_ || demotion_ || is_tombstone(visible_->versions) || !exceeds_factor(item_->record(), *node_))
    return;
  auto shadows = item_->record().holders.current();
  std::erase_if(shadows, [this](const std::string& node) {
    return item_->record().holders.state_of(node) != holder_state::shadow;
  });
  dismiss(by_rank(std::move(shadows), item_->record().id));
}

void shadow_state::dismiss(std::vector<std::string> shadows) {
  if (shadows.empty() || !visible_ || !exceeds_factor(item_->record(), *node_))
    return;
  auto node = std::move(shadows.back());
  shadows.pop_back();
  ask_peer<steward_answer>(
      node, traffic::repair,
      steward_order{item_->record().id, node_->self.node, visible_->versions.context, steward_word::dismiss},
      [this, node, shadows, epoch = item_->epoch_of(node)](const steward_answer& answer) {
        if (answer.role == holder_state::left)
          mark_left(node, epoch); // its own word
        dismiss(shadows);
      },
      [this, shadows](const caf::error&) { dismiss(shadows); });
}

void shadow_state::be_dismissed(const steward_order& order, answer<steward_answer> reply) {
  const auto& record = item_->record();
  auto read = record.lease.last_read;
  if (auto entry = node_->index.peek(record.id))
    read = std::max(read, timestamp{duration{entry->last_read_ms.load(std::memory_order_relaxed)}});
  auto unread = record.lease.reason == lease_reason::policy && read <= record.lease.created;
  auto same = visible_ && visible_->versions.context == order.context && item_->versions().context == order.context;
  auto quiet = writes_->empty() && readers_.empty() && !syncing_ && !search_ && !record.pinned && record.owed.empty();
  if (item_->role() != holder_state::shadow || !same || !unread || !quiet || !watchers_.empty())
    return reply.give(how_things_stand(false));
  drop();
  persist([this, reply] { reply.give(how_things_stand(true)); });
}

} // namespace gnomon
