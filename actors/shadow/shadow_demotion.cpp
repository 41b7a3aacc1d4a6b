// How a durable copy that policy does not ask for becomes a shadow again, how durable copies follow those who want the
// item, and how a shadow that an outage left goes.
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

/// The other durable holders that can be reached, first in rank first.
std::vector<std::string> shadow_state::durable_in_reach() const {
  auto ranked = item_->record().holders.durable_by_rank(item_->record().id);
  auto view = node_->cluster.get();
  std::erase_if(ranked, [&](const std::string& node) { return !view->reachable(node); });
  return ranked;
}

/// The last in rank that can be reached is to go, or the one that is wanted least, once enough others have promised to
/// stay.
void shadow_state::demote_one() {
  if (demotion_ || weighing_ || !may_demote())
    return;
  auto ranked = durable_in_reach();
  if (ranked.empty() || ranked.size() < rules().min_copies) // with this node, one more than have to stay
    return;
  if (rules().durable == durable_rule::stays)
    return begin_demotion(ranked, ranked.back());
  hear_demands(ranked, [this, ranked](demands durable) mutable {
    if (durable.size() < ranked.size() || demotion_ || !may_demote())
      return;
    durable[node_->self.node] = item_->record().wanted.at(now());
    auto all = ranked;
    all.insert(all.begin(), node_->self.node);
    begin_demotion(ranked, least_wanted(durable, all));
  });
}

bool shadow_state::may_demote() const {
  return visible_ && has_to_demote() && item_->versions().context == visible_->versions.context;
}

void shadow_state::begin_demotion(std::vector<std::string> others, std::string leaver) {
  demotion_ =
      std::make_unique<demotion>(visible_->versions.context, std::move(others), std::move(leaver), rules().min_copies);
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
  if (demotion_->leaver() == node_->self.node)
    return step_down();
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

/// The steward itself is wanted least. The next one in rank sees to the item from then on.
void shadow_state::step_down() {
  if (!may_become_shadow(demotion_->context()) || promises_.hold(self_->clock().now()))
    return end_demotion();
  become_shadow([this] { end_demotion(); });
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
  if (!may_become_shadow(order.context) || is_guarding())
    return reply.give(how_things_stand(false));
  become_shadow([this, reply] { reply.give(how_things_stand(true)); });
}

/// This copy is durable, has exactly this on disk, and nothing is under way.
bool shadow_state::may_become_shadow(const version_vector& context) const {
  auto same = visible_ && visible_->versions.context == context && item_->versions().context == context;
  auto quiet = writes_->empty() && !syncing_ && !search_ && !item_->record().pinned && !reaping_;
  return item_->role() == holder_state::durable && same && quiet;
}

void shadow_state::become_shadow(std::function<void()> then) {
  item_->demote(settled({lease_reason::policy, 1.0, now(), now(), rules().ttl}));
  persist([this, then = std::move(then)] {
    publish();
    tell_holders(others(), item_->record().holders);
    then();
  });
}

// -- durable copies that follow -------------------------------------------------------------------------------------

/// Asks these nodes how much the item is wanted there. `then` gets the answers of those that have what is here, no more
/// and no less.
void shadow_state::hear_demands(const std::vector<std::string>& nodes, std::function<void(demands)> then) {
  weighing_ = true;
  auto context = visible_->versions.context;
  auto wanted = std::make_shared<demands>();
  ask_each<steward_answer>(
      nodes, traffic::repair, steward_order{item_->record().id, node_->self.node, context, steward_word::report},
      [wanted, context](const std::string& node, const expected<steward_answer>& there) {
        if (there && there->role == holder_state::durable && there->context == context)
          wanted->emplace(node, there->wanted);
      },
      [this, wanted, then = std::move(then)] {
        weighing_ = false;
        then(std::move(*wanted));
      });
}

/// A shadow that is wanted much more than a durable copy becomes durable itself. Then there is one too many, and the
/// steward sees to that.
void shadow_state::follow_demand() {
  auto wanted = item_->record().wanted.at(now());
  if (wanted < node_->config.follow_after || weighing_ || !may_take_over() || self_->clock().now() < weighs_next_)
    return;
  auto durable = durable_in_reach();
  if (durable.size() < std::max<size_t>(item_->record().holders.durable().size(), 1))
    return;
  weighs_next_ = self_->clock().now() + node_->config.join_timeout;
  hear_demands(durable, [this, durable](const demands& there) {
    if (there.size() < durable.size() || !may_take_over() || !takes_over(item_->record().wanted.at(now()), there))
      return;
    log::debug("shadow", "follows", {{"id", item_->record().id}});
    item_->promote();
    persist([this] {
      publish();
      tell_holders(others(), item_->record().holders);
    });
  });
}

bool shadow_state::may_take_over() const {
  return item_->role() == holder_state::shadow && visible_ && !is_behind() && !is_tombstone(visible_->versions)
         && rules().durable == durable_rule::follows && may_hold(node_->self.node);
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
  if (item_->role() != holder_state::shadow || !same || !unread || !quiet)
    return reply.give(how_things_stand(false));
  drop();
  persist([this, reply] { reply.give(how_things_stand(true)); });
}

/// A client wants the copy gone. What readers want comes back with their next read.
void shadow_state::be_dropped(answer<steward_answer> reply) {
  if (is_needed() || is_tombstone(visible_->versions))
    return reply.give(how_things_stand(false));
  drop();
  persist([this, reply] { reply.give(how_things_stand(true)); });
}

} // namespace gnomon
