#include "actors/node/placement.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace gnomon {

std::vector<std::string> rank_candidates(std::vector<placement_candidate> candidates, const policy& rules) {
  std::erase_if(candidates, [&](const placement_candidate& c) { return !c.live || !rules.allows(c.region); });
  auto cost = [](const placement_candidate& c) {
    return c.rtt_ms < 0 ? std::numeric_limits<double>::infinity() : c.rtt_ms;
  };
  std::sort(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
    return std::make_tuple(cost(a), a.node) < std::make_tuple(cost(b), b.node);
  });
  std::vector<std::string> names;
  for (auto& c : candidates)
    names.push_back(std::move(c.node));
  return names;
}

std::vector<std::string> candidates_for_copies(const node_context& node, const policy& rules) {
  std::vector<placement_candidate> regions;
  auto view = node.cluster.get();
  for (const auto& peer : view->peers)
    regions.push_back({peer.identity.node, peer.identity.region, peer.rtt_ms, peer.state == peer_state::live});
  return rank_candidates(std::move(regions), rules);
}

place_copies plan_copies(const node_context& node, const create_shadow& wish) {
  auto rules = node.effective_policy(wish.id, wish.user);
  place_copies plan;
  plan.id = wish.id;
  plan.factor = wish.factor != 0 ? wish.factor : rules.factor;
  plan.min_copies = rules.min_copies;
  plan.candidates = candidates_for_copies(node, rules);
  auto now = node.time->now();
  plan.lease = {wish.reason, 1.0, now, now, wish.ttl.count() != 0 ? wish.ttl : rules.ttl};
  return plan;
}

} // namespace gnomon
