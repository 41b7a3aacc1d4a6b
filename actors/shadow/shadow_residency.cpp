// Where a shadow's item may be kept, and what happens when a rule comes to keep it away from here. A rule may arrive at
// any moment, also while a copy or a write is on its way: it is looked at again before versions are taken in, and after
// each sync.
#include "actors/shadow/shadow.hpp"

#include <algorithm>

namespace gnomon {

bool shadow_state::may_hold(const std::string& node) const {
  return may_hold(node, item_->versions());
}

bool shadow_state::may_hold(const std::string& node, const version_set& versions) const {
  auto there = node_->policy_of(item_->record().id, versions);
  if (node == node_->self.node)
    return there.allows(node_->self.region);
  auto view = node_->cluster.get();
  auto peer = view->find(node);
  return peer && there.allows(peer->identity.region);
}

/// Looks again: an earlier check did not know what the versions' users allow, and the rules may have changed since.
bool shadow_state::may_take(const version_set& versions) const {
  return node_->config.fault == deliberate_fault::ignore_new_residency
         || (may_hold(node_->self.node) && may_hold(node_->self.node, versions));
}

bool shadow_state::is_forbidden(const std::string& node, const version_set& versions) const {
  return node_->cluster.get()->find(node) && !may_hold(node, versions);
}

/// The copy that was found may not stay here: it is read and written where it is.
void shadow_state::kept_away(const std::string& giver) {
  search_->keep_away(giver);
  drop_joining_record();
  readers_.empty() ? end_search() : ask_next();
}

/// A rule has come to forbid the copy that is here: a holder that may keep the item takes the write.
void shadow_state::pass_to_permitted(const write_item& request, const answer<write_receipt>& reply) {
  auto candidates = item_->record().holders.durable_by_rank(item_->record().id);
  auto rest = others();
  candidates.insert(candidates.end(), rest.begin(), rest.end());
  auto view = node_->cluster.get();
  for (const auto& node : candidates)
    if (!request.forwarded && may_hold(node) && view->reachable(node))
      return pass_to<write_receipt>(node, request, reply);
  reply.fail(make_error(ec::unavailable, "a residency rule has come to keep the item away from region "
                                             + node_->self.region + ", and it is on its way to another; try again"));
}

/// After a sync: a rule may have arrived while it was under way.
void shadow_state::apply_residency() {
  if (node_->config.fault == deliberate_fault::ignore_new_residency || !item_->present())
    return;
  if (may_hold(node_->self.node))
    item_->set_moving(false);
  else
    move_away();
}

/// A residency rule has come to forbid this copy: it goes as soon as a permitted region holds a durable one, and until
/// then is only given to regions that may have it.
void shadow_state::move_away() {
  node_->index.erase(item_->record().id);
  auto permitted = std::make_shared<std::deque<std::string>>();
  const auto& record = item_->record();
  auto may_go = item_->role() != holder_state::durable || !is_guarding(); // it may have promised to stay durable
  auto bound = record.pinned || !record.owed.empty() || item_->role() == holder_state::durable;
  for (const auto& node : others())
    if (may_hold(node)) {
      auto durable = record.holders.state_of(node) == holder_state::durable;
      if (durable && may_go && (!bound || writes_->has_confirmed(node, item_->versions().context)))
        return drop();
      permitted->push_back(node);
    }
  if (next_move_ > self_->clock().now())
    return;
  next_move_ = self_->clock().now() + node_->config.collect_every;
  item_->set_moving(true); // should this shadow sleep, the expiry index wakes it again
  persist();
  auto view = node_->cluster.get();
  for (auto peer : view->by_latency())
    if (may_hold(peer->identity.node))
      permitted->push_back(peer->identity.node);
  lease terms{lease_reason::policy, 1.0, now(), now(), rules().ttl};
  invite(permitted, {record.id, node_->self.node, holder_state::durable, terms, item_->bytes()});
  self_->delayed_send(self_, node_->config.collect_every, expire_a_v);
}

} // namespace gnomon
