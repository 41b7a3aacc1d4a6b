#include "actors/shadow/shadow_residency.hpp"

#include "actors/shadow/shadow.hpp"

#include <deque>

namespace gnomon {

void shadow_residency::apply_residency() {
  if (this_node().config.fault == deliberate_fault::ignore_new_residency || !item().present())
    return;
  if (may_hold(this_node().self.node))
    item().set_moving(false);
  else
    move_away();
}

void shadow_residency::move_away() {
  this_node().index.erase(item().record().id);
  auto permitted = std::make_shared<std::deque<std::string>>();
  const auto& record = item().record();
  auto may_go = item().role() != holder_state::durable
                || !shadow().demoting.is_guarding(); // it may have promised to stay durable
  auto bound = record.pinned || !record.owed.empty() || item().role() == holder_state::durable;
  for (const auto& node : others())
    if (may_hold(node)) {
      auto durable = record.holders.state_of(node) == holder_state::durable;
      if (durable && may_go && (!bound || shadow().writes.has_all(node)))
        return shadow().lifetime.drop();
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
  shadow().placing.invite(permitted, {record.id, this_node().self.node, holder_state::durable, terms, item().bytes()});
  self()->delayed_send(self(), this_node().config.collect_every, expire_a_v);
}

} // namespace gnomon
