// Where a shadow's item may be kept, and what happens when a rule comes to keep it away from here. A rule may arrive at
// any moment, also while a copy or a write is on its way: it is looked at again before versions are taken in, and after
// each sync.
#include "actors/shadow/shadow.hpp"

#include <algorithm>

namespace gnomon {

/// A rule has come to forbid the copy that is here: a holder that may keep the item takes the write.
void shadow_state::pass_to_permitted(const write_item& request, const answer<write_receipt>& reply) {
  auto candidates = item().record().holders.durable_by_rank(item().record().id);
  auto rest = others();
  candidates.insert(candidates.end(), rest.begin(), rest.end());
  auto view = this_node().cluster.get();
  for (const auto& node : candidates)
    if (!request.forwarded && may_hold(node) && view->reachable(node))
      return pass_to<write_receipt>(node, request, reply);
  reply.fail(make_error(ec::unavailable, "a residency rule has come to keep the item away from region "
                                             + this_node().self.region
                                             + ", and it is on its way to another; try again"));
}

/// After a sync: a rule may have arrived while it was under way.
void shadow_state::apply_residency() {
  if (this_node().config.fault == deliberate_fault::ignore_new_residency || !item().present())
    return;
  if (may_hold(this_node().self.node))
    item().set_moving(false);
  else
    move_away();
}

/// A residency rule has come to forbid this copy: it goes as soon as a permitted region holds a durable one, and until
/// then is only given to regions that may have it.
void shadow_state::move_away() {
  this_node().index.erase(item().record().id);
  auto permitted = std::make_shared<std::deque<std::string>>();
  const auto& record = item().record();
  auto may_go = item().role() != holder_state::durable || !is_guarding(); // it may have promised to stay durable
  auto bound = record.pinned || !record.owed.empty() || item().role() == holder_state::durable;
  for (const auto& node : others())
    if (may_hold(node)) {
      auto durable = record.holders.state_of(node) == holder_state::durable;
      if (durable && may_go && (!bound || writes_->has_confirmed(node, item().versions().context)))
        return drop();
      permitted->push_back(node);
    }
  if (next_move_ > self()->clock().now())
    return;
  next_move_ = self()->clock().now() + this_node().config.collect_every;
  item().set_moving(true); // should this shadow sleep, the expiry index wakes it again
  persist();
  auto view = this_node().cluster.get();
  for (auto peer : view->by_latency())
    if (may_hold(peer->identity.node))
      permitted->push_back(peer->identity.node);
  lease terms{lease_reason::policy, 1.0, now(), now(), rules().ttl};
  invite(permitted, {record.id, this_node().self.node, holder_state::durable, terms, item().bytes()});
  self()->delayed_send(self(), this_node().config.collect_every, expire_a_v);
}

} // namespace gnomon
