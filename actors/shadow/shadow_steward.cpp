#include "actors/shadow/shadow_steward.hpp"

#include "actors/shadow/shadow.hpp"
#include "runtime/base/log.hpp"

namespace gnomon {

void shadow_steward::do_steward_duty() {
  if (visible() && is_tombstone(visible()->versions))
    reap();
  else if (shadow().demoting.has_to_demote())
    shadow().demoting.demote_one();
  else
    shadow().demoting.dismiss_surplus();
}

void shadow_steward::reap() {
  if (reaping_ || !visible() || reaper_of(item().record()) != this_node().self.node)
    return;
  auto context = visible()->versions.context;
  if (!holds_exactly(context) || age_of(item().record(), now()) < this_node().config.reap_after)
    return;
  // A region that the record does not name may hold the item all the same: it began there as well during a partition,
  // joined elsewhere again after it had left, or came back with an older disk. Every region has to answer.
  std::vector<std::string> strangers;
  auto view = this_node().cluster.get();
  if (view->peers.empty() && view->unmet_seeds > 0)
    return; // anti-entropy reminds us of it again
  for (const auto& peer : view->peers)
    if (item().record().holders.state_of(peer.identity.node) == holder_state::left)
      strangers.push_back(peer.identity.node);
  reaping_ = std::make_unique<reaping>(context, strangers);
  go_on_reaping();
}

void shadow_steward::go_on_reaping() {
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

void shadow_steward::send_order(const std::string& node, steward_word word) {
  ask_peer<steward_answer>(
      node, traffic::repair, steward_order{item().record().id, this_node().self.node, reaping_->context(), word},
      [this, node, word, epoch = item().epoch_of(node)](const steward_answer& answer) {
        answered(node, word, epoch, answer);
      },
      [this, node, word, epoch = item().epoch_of(node)](const caf::error&) {
        if (this_node().config.fault == deliberate_fault::reap_on_lease_expiry
            && item().record().holders.state_of(node) == holder_state::shadow)
          return answered(node, word, epoch, steward_answer{false, holder_state::left, {}, {}, 0});
        reaping_->failed();
        go_on_reaping();
      });
}

void shadow_steward::answered(const std::string& node, steward_word word, uint32_t epoch,
                              const steward_answer& answer) {
  reaping_->heard(node, word, answer);
  if (item().role() == holder_state::left) {
    reaping_->give_up();
    return go_on_reaping();
  }
  if (answer.role == holder_state::left)
    shadow().holders.mark_left(node, epoch); // its own word
  else
    item().merge(answer.holders);
  if (answer.role != holder_state::left && answer.context != reaping_->context())
    shadow().holders.tell_holders({node}, item().record().holders);
  persist([this] { go_on_reaping(); });
}

// -- the other holders --------------------------------------------------------------------------------------

void shadow_steward::execute_order(const steward_order& order, answer<steward_answer> reply) {
  switch (order.word) {
  case steward_word::confirm:
    return reply.give(how_things_stand(holds_exactly(order.context)));
  case steward_word::reap:
    if (!holds_exactly(order.context))
      return reply.give(how_things_stand(false));
    return forget([this, reply] { reply.give(how_things_stand(true)); });
  case steward_word::guard:
    return reply.give(how_things_stand(shadow().demoting.guard(order)));
  case steward_word::demote:
    return shadow().demoting.be_demoted(order, reply);
  case steward_word::release:
    shadow().demoting.release(order.from);
    return reply.give(how_things_stand(true));
  case steward_word::report:
    return reply.give(how_things_stand(true));
  case steward_word::dismiss:
    return shadow().demoting.be_dismissed(order, reply);
  case steward_word::drop:
    return shadow().demoting.be_dropped(reply);
  }
  reply.fail(make_error(ec::bad_message, "an order that this node does not know; update it"));
}

/// True when this tombstone is all that is here, on disk and on its way.
bool shadow_steward::holds_exactly(const version_vector& context) const {
  return shadow().is_quiet() && visible() && is_tombstone(visible()->versions) && visible()->versions.context == context
         && item().versions().context == context;
}

steward_answer shadow_steward::how_things_stand(bool done) const {
  return {done, item().role(), visible() ? visible()->versions.context : version_vector{}, item().record().holders,
          item().record().wanted.at(now())};
}

/// Nobody is told: all who were holders forget the item too.
void shadow_steward::forget(std::function<void()> after) {
  log::debug("shadow", "reaped", {{"id", item().record().id}});
  shadow().hide();
  item().drop();
  this_node().counters.reaped.fetch_add(1, std::memory_order_relaxed);
  persist(std::move(after));
}

} // namespace gnomon
