#include "actors/shadow/shadow_demotion.hpp"

#include "actors/shadow/shadow.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

bool shadow_demotion::has_to_demote() const {
  const auto& record = item().record();
  if (this_node().config.fault == deliberate_fault::demote_two_at_once && item().role() == holder_state::durable)
    return record.holders.durable().size() > rules().min_copies && !is_tombstone(record.versions);
  return has_surplus(record, this_node().self.node, rules().min_copies);
}

/// The other durable holders that can be reached, first in rank first.
std::vector<std::string> shadow_demotion::durable_in_reach() const {
  auto ranked = item().record().holders.durable_by_rank(item().record().id);
  auto view = this_node().cluster.get();
  std::erase_if(ranked, [&](const std::string& node) { return !view->reachable(node); });
  return ranked;
}

void shadow_demotion::demote_one() {
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
    durable[this_node().self.node] = item().record().wanted.at(now());
    auto all = ranked;
    all.insert(all.begin(), this_node().self.node);
    begin_demotion(ranked, least_wanted(durable, all));
  });
}

bool shadow_demotion::may_demote() const {
  return visible() && has_to_demote() && item().versions().context == visible()->versions.context;
}

void shadow_demotion::begin_demotion(std::vector<std::string> others, std::string leaver) {
  demotion_ =
      std::make_unique<demotion>(visible()->versions.context, std::move(others), std::move(leaver), rules().min_copies);
  for (const auto& node : std::vector<std::string>{demotion_->asked()}) // an answer may end the attempt
    ask_peer<steward_answer>(
        node, traffic::repair,
        steward_order{item().record().id, this_node().self.node, demotion_->context(), steward_word::guard},
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

void shadow_demotion::go_on_demoting() {
  auto step = demotion_->next();
  if (step == demotion::step::wait)
    return;
  auto unchanged = item().role() == holder_state::durable && item().versions().context == demotion_->context();
  if (step == demotion::step::give_up || !unchanged)
    return end_demotion();
  if (demotion_->leaver() == this_node().self.node)
    return step_down();
  ask_peer<steward_answer>(
      demotion_->leaver(), traffic::repair,
      steward_order{item().record().id, this_node().self.node, demotion_->context(), steward_word::demote},
      [this](const steward_answer& answer) {
        log::debug("shadow", "demotion",
                   {{"id", item().record().id}, {"node", demotion_->leaver()}, {"done", answer.done}});
        if (item().role() != holder_state::left) {
          item().merge(answer.holders);
          persist();
        }
        end_demotion();
        if (answer.done)
          dismiss_surplus();
      },
      [this](const caf::error&) { end_demotion(); });
}

/// The steward itself is wanted least. The next one in rank sees to the item from then on.
void shadow_demotion::step_down() {
  if (!may_become_shadow(demotion_->context()) || promises_.hold(self()->clock().now()))
    return end_demotion();
  become_shadow([this] { end_demotion(); });
}

/// Those that promised to stay are free again.
void shadow_demotion::end_demotion() {
  auto ended = std::move(demotion_);
  for (const auto& node : ended->guards())
    ask_peer<steward_answer>(
        node, traffic::repair,
        steward_order{item().record().id, this_node().self.node, ended->context(), steward_word::release},
        [](const steward_answer&) {}, [](const caf::error&) {}); // its promise ends by itself
}

// -- the other durable holders ---------------------------------------------------------------------------------------

bool shadow_demotion::is_guarding() {
  return (demotion_ || promises_.hold(self()->clock().now()))
         && this_node().config.fault != deliberate_fault::demote_two_at_once;
}

bool shadow_demotion::guard(const steward_order& order) {
  auto has_it = visible() && visible()->versions.context.covers(order.context);
  if (item().role() != holder_state::durable || !has_it || !may_hold(this_node().self.node))
    return false;
  promises_.give(order.from, self()->clock().now() + 3 * this_node().config.peer_timeout);
  return true;
}

void shadow_demotion::be_demoted(const steward_order& order, answer<steward_answer> reply) {
  if (!may_become_shadow(order.context) || is_guarding())
    return reply.give(shadow().steward.how_things_stand(false));
  become_shadow([this, reply] { reply.give(shadow().steward.how_things_stand(true)); });
}

/// This copy is durable, has exactly this on disk, and nothing is under way.
bool shadow_demotion::may_become_shadow(const version_vector& context) const {
  auto same = visible() && visible()->versions.context == context && item().versions().context == context;
  auto quiet = shadow().is_quiet() && !item().record().pinned && !shadow().steward.is_reaping();
  return item().role() == holder_state::durable && same && quiet;
}

void shadow_demotion::become_shadow(std::function<void()> then) {
  item().demote(shadow().lifetime.settled({lease_reason::policy, 1.0, now(), now(), rules().ttl}));
  persist([this, then = std::move(then)] {
    shadow().publish();
    shadow().holders.tell_holders(others(), item().record().holders);
    then();
  });
}

// -- durable copies that follow -------------------------------------------------------------------------------------

/// Asks these nodes how much the item is wanted there. `then` gets the answers of those that have what is here, no more
/// and no less.
void shadow_demotion::hear_demands(const std::vector<std::string>& nodes, std::function<void(demands)> then) {
  weighing_ = true;
  auto context = visible()->versions.context;
  auto wanted = std::make_shared<demands>();
  ask_each<steward_answer>(
      nodes, traffic::repair, steward_order{item().record().id, this_node().self.node, context, steward_word::report},
      [wanted, context](const std::string& node, const expected<steward_answer>& there) {
        if (there && there->role == holder_state::durable && there->context == context)
          wanted->emplace(node, there->wanted);
      },
      [this, wanted, then = std::move(then)] {
        weighing_ = false;
        then(std::move(*wanted));
      });
}

void shadow_demotion::follow_demand() {
  auto wanted = item().record().wanted.at(now());
  if (wanted < this_node().config.follow_after || weighing_ || !may_take_over() || self()->clock().now() < weighs_next_)
    return;
  auto durable = durable_in_reach();
  if (durable.size() < std::max<size_t>(item().record().holders.durable().size(), 1))
    return;
  weighs_next_ = self()->clock().now() + this_node().config.join_timeout;
  hear_demands(durable, [this, durable](const demands& there) {
    if (there.size() < durable.size() || !may_take_over() || !takes_over(item().record().wanted.at(now()), there))
      return;
    log::debug("shadow", "follows", {{"id", item().record().id}});
    item().promote();
    persist([this] {
      shadow().publish();
      shadow().holders.tell_holders(others(), item().record().holders);
    });
  });
}

bool shadow_demotion::may_take_over() const {
  return item().role() == holder_state::shadow && visible() && !is_behind() && !is_tombstone(visible()->versions)
         && rules().durable == durable_rule::follows && may_hold(this_node().self.node);
}

// -- shadows beyond the factor ----------------------------------------------------------------------------------------

void shadow_demotion::dismiss_surplus() {
  if (!visible() || demotion_ || is_tombstone(visible()->versions) || !exceeds_factor(item().record(), this_node()))
    return;
  auto shadows = item().record().holders.current();
  std::erase_if(shadows, [this](const std::string& node) {
    return item().record().holders.state_of(node) != holder_state::shadow;
  });
  dismiss(by_rank(std::move(shadows), item().record().id));
}

void shadow_demotion::dismiss(std::vector<std::string> shadows) {
  if (shadows.empty() || !visible() || !exceeds_factor(item().record(), this_node()))
    return;
  auto node = std::move(shadows.back());
  shadows.pop_back();
  ask_peer<steward_answer>(
      node, traffic::repair,
      steward_order{item().record().id, this_node().self.node, visible()->versions.context, steward_word::dismiss},
      [this, node, shadows, epoch = item().epoch_of(node)](const steward_answer& answer) {
        if (answer.role == holder_state::left)
          shadow().holders.mark_left(node, epoch); // its own word
        dismiss(shadows);
      },
      [this, shadows](const caf::error&) { dismiss(shadows); });
}

void shadow_demotion::be_dismissed(const steward_order& order, answer<steward_answer> reply) {
  const auto& record = item().record();
  auto read = record.lease.last_read;
  if (auto entry = this_node().index.peek(record.id))
    read = std::max(read, timestamp{duration{entry->last_read_ms.load(std::memory_order_relaxed)}});
  auto unread = record.lease.reason == lease_reason::policy && read <= record.lease.created;
  auto same = visible() && visible()->versions.context == order.context && item().versions().context == order.context;
  auto quiet = shadow().is_quiet() && !shadow().has_readers() && !record.pinned && record.owed.empty();
  if (item().role() != holder_state::shadow || !same || !unread || !quiet)
    return reply.give(shadow().steward.how_things_stand(false));
  shadow().lifetime.drop();
  persist([this, reply] { reply.give(shadow().steward.how_things_stand(true)); });
}

void shadow_demotion::be_dropped(answer<steward_answer> reply) {
  if (shadow().lifetime.is_needed() || is_tombstone(visible()->versions))
    return reply.give(shadow().steward.how_things_stand(false));
  shadow().lifetime.drop();
  persist([this, reply] { reply.give(shadow().steward.how_things_stand(true)); });
}

} // namespace gnomon
