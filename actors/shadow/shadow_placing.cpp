// How a shadow sees to the copies of its item: the plan is made by `plan_copies_of`, and carried out here.
#include "actors/node/placement.hpp"
#include "actors/shadow/copy_plan.hpp"
#include "actors/shadow/shadow.hpp"

#include "runtime/base/log.hpp"

namespace gnomon {

void shadow_state::place(const place_copies& request, answer<shadow_plan> reply) {
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
void shadow_state::place_elsewhere(const place_copies& request, answer<shadow_plan> reply) {
  if (request.factor == one_each)
    return reply.fail(make_error(ec::not_here, "the item is not here"));
  stay keep{may_hold(this_node().self.node), holder_state::shadow, request.lease};
  search.find_copy(keep, audience::all, traffic::client, {}, [this, request, reply](const copy_search& s) {
    if (item().present())
      return place(request, reply);
    const auto& holder = s.refused_by.empty() ? s.holder : s.refused_by;
    if (auto reason = search.why_not_found(s); holder.empty() && code_of(reason) == ec::unavailable)
      return reply.fail(std::move(reason));
    if (holder.empty())
      return reply.fail(make_error(ec::not_found, "no region holds the item"));
    const auto& terms = request.lease;
    pass_to<shadow_plan>(holder, create_shadow{request.id, {}, request.factor, terms.ttl, terms.reason}, reply);
  });
}

/// Invites the first candidate; when it refuses or does not answer, the next.
void shadow_state::invite(std::shared_ptr<std::deque<std::string>> candidates, invite_copy invitation,
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
          return holders.answered(node, epoch, said.standing);
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

/// First access of the item here: other regions get copies.
void shadow_state::place_first_copies() {
  create_shadow wish;
  wish.id = item().record().id;
  wish.user = item().creator();
  wish.reason = lease_reason::policy;
  auto copies = plan_copies(this_node(), wish);
  copies.away = item().expected_holders();
  place(copies, {});
}

} // namespace gnomon
