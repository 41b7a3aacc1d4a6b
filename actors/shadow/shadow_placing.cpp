#include "actors/shadow/shadow_placing.hpp"
#include "actors/node/known_nodes.hpp"

#include "actors/node/placement.hpp"
#include "actors/shadow/copy_plan.hpp"
#include "actors/shadow/shadow.hpp"
#include "runtime/base/log.hpp"

namespace gnomon {

void shadow_placing::place(const place_copies& request, answer<shadow_plan> reply) {
  if (!item().present())
    return place_elsewhere(request, reply);
  auto todo = plan_copies_of(item().record().holders, request, [this](const std::string& node) {
    return node != this_node().self.node && may_hold(node);
  });
  auto urgency = request.wait ? traffic::repair : traffic::client; // a client's write may wait for these copies
  // The answer: now, or when the last invitation lets go of it.
  std::shared_ptr<shadow_plan> plan{new shadow_plan{item().record().id, request.factor, {}, {}},
                                    [reply](shadow_plan* done) {
                                      reply.give(std::move(*done));
                                      delete done;
                                    }};
  auto outcome = request.wait ? plan : nullptr;
  auto add = [&, view = this_node().cluster.get()](const std::string& node, holder_state state, bool present) {
    auto peer = view->find(node);
    plan->copies.push_back({node, peer ? peer->identity.region : this_node().self.region, state, present});
  };
  invite_copy invitation{item().record().id, this_node().self.node, holder_state::shadow, request.lease,
                         item().bytes()};
  for (const auto& holder : todo.present) {
    invitation.state = holder.state;
    add(holder.node, holder.state, true);
    if (holder.node == this_node().self.node)
      accept(invitation, {});
    else if (holder.hears)
      invite(std::make_shared<std::deque<std::string>>(1, holder.node), invitation, outcome, urgency);
  }
  auto candidates = std::make_shared<std::deque<std::string>>(std::move(todo.candidates));
  for (auto state : todo.added) {
    if (candidates->empty()) // some could not be asked
      break;
    invitation.state = state;
    add(candidates->front(), state, false);
    invite(candidates, invitation, outcome, urgency);
  }
  if (todo.falls_short || plan->copies.size() < todo.present.size() + todo.added.size())
    plan->shortfall = "only " + std::to_string(plan->copies.size()) + " regions are live and permitted";
}

/// Without a copy here: once one has come, or at a holder.
void shadow_placing::place_elsewhere(const place_copies& request, answer<shadow_plan> reply) {
  if (request.factor == one_each)
    return reply.fail(make_error(ec::not_here, "the item is not here"));
  stay keep{may_hold(this_node().self.node), holder_state::shadow, request.lease};
  shadow().search.find_copy(keep, audience::all, traffic::client, {}, [this, request, reply](const copy_search& s) {
    if (item().present())
      return place(request, reply);
    const auto& holder = s.refused_by.empty() ? s.holder : s.refused_by;
    if (auto reason = shadow().search.why_not_found(s); holder.empty() && code_of(reason) == ec::unavailable)
      return reply.fail(std::move(reason));
    if (holder.empty())
      return reply.fail(nobody_holds_it());
    const auto& terms = request.lease;
    pass_to<shadow_plan>(holder, create_shadow{request.id, {}, request.factor, terms.ttl, terms.reason}, reply);
  });
}

void shadow_placing::invite(std::shared_ptr<std::deque<std::string>> candidates, invite_copy invitation,
                            std::shared_ptr<shadow_plan> plan, traffic urgency) {
  if (candidates->empty()) {
    if (plan)
      plan->shortfall = "a region that was to get a copy has not taken it";
    return log::debug("shadow", "nobody-to-invite", {{"id", invitation.id}});
  }
  auto node = std::move(candidates->front());
  candidates->pop_front();
  ask_peer<invite_answer>(
      node, urgency, invitation,
      [this, candidates, invitation, node, epoch = item().epoch_of(node), plan, urgency](const invite_answer& said) {
        if (said.accepted)
          return shadow().holders.answered(node, epoch, said.standing);
        log::debug("shadow", "invitation-refused", {{"id", invitation.id}, {"node", node}, {"reason", said.reason}});
        invite(candidates, invitation, plan, urgency);
      },
      [this, candidates, invitation, plan, urgency](const caf::error& reason) {
        if (code_of(reason) != ec::timeout)
          return invite(candidates, invitation, plan, urgency);
        if (plan) // it is slow, and may be fetching the item
          plan->shortfall = "a region that was to get a copy does not answer in time";
      });
}

void shadow_placing::place_first_copies() {
  create_shadow wish;
  wish.id = item().record().id;
  wish.user = item().creator();
  wish.reason = lease_reason::policy;
  auto copies = plan_copies(this_node(), wish);
  copies.away = item().expected_holders();
  place(copies, {});
}

// -- the other side

void shadow_placing::accept(const invite_copy& request, answer<invite_answer> reply) {
  if (!may_hold(this_node().self.node))
    return reply.give({false, "a residency rule keeps the item away from " + this_node().self.region, {}});
  if (request.lease.reason == lease_reason::access)
    note_reader_elsewhere();
  if (request.state == holder_state::shadow && !item().present() && this_node().is_full()) {
    this_node().counters.shadows_refused.fetch_add(1, std::memory_order_relaxed);
    return reply.give({false, "node " + this_node().self.node + " holds as much as store.max_bytes allows", {}});
  }
  if (item().present()) {
    if (request.state == holder_state::durable && item().role() == holder_state::shadow)
      item().promote();
    else if (item().role() == holder_state::shadow && request.lease.reason == lease_reason::request)
      item().renew_lease(shadow().lifetime.settled(request.lease).ttl, request.lease.reason);
    persist([this, reply, giver = request.giver] {
      reply.give({true, {}, shadow().holders.standing()});
      shadow().publish();
      auto rest = others();
      std::erase(rest, giver);
      shadow().holders.tell_holders(rest, item().record().holders);
    });
    return;
  }
  auto terms = request.lease;
  terms.created = terms.last_read = now();
  auto then = [this, reply, giver = request.giver](const copy_search&) {
    item().present() ? reply.give({true, {}, shadow().holders.standing()})
                     : reply.give({false, "the item could not be fetched from node " + giver, {}});
  };
  auto predicted = terms.reason == lease_reason::prediction; // then a prefetcher of this node invites, not the giver
  auto& joins = shadow().search.find_copy({true, request.state, terms}, audience::known,
                                          predicted ? traffic::prefetch : traffic::repair, request.giver, then);
  if (!predicted)
    joins.inviters.insert(request.giver);
}

/// A reader of this region has read the item at the giver, where DNS or a redirect had sent it. What is predicted here
/// follows from what the readers of this region want, wherever they got it.
void shadow_placing::note_reader_elsewhere() {
  if (auto agent = this_node().handles.get()->agent)
    self()->send(agent, access_batch{{{.id = item().record().id, .user = {}, .at = now()}}});
}

} // namespace gnomon
