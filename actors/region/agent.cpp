#include "actors/region/agent.hpp"

#include "actors/node/placement.hpp"

#include <map>

namespace gnomon {

agent_actor::behavior_type agent(agent_actor::stateful_pointer<agent_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](const access_batch& batch) { state.spread(batch); },
      [=, &state](const create_shadow& wish) -> caf::result<shadow_plan> {
        auto shard = state.shard_for(wish.id);
        return self->delegate(shard, state.plan(wish));
      },
  };
}

void agent_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
}

shard_actor agent_state::shard_for(const std::string& id) const {
  return node_->shard_for(id, *node_->handles.get());
}

void agent_state::spread(const access_batch& batch) {
  std::map<size_t, access_batch> by_shard;
  for (const auto& sample : batch.samples)
    by_shard[shard_of(sample.id)].samples.push_back(sample);
  auto handles = node_->handles.get();
  for (auto& [index, samples] : by_shard)
    self_->send(handles->shards[index], std::move(samples));
  if (handles->predictor)
    self_->send(handles->predictor, batch);
}

place_copies agent_state::plan(const create_shadow& wish) const {
  auto rules = node_->effective_policy(wish.id, wish.user);
  std::vector<placement_candidate> regions;
  auto view = node_->cluster.get();
  for (const auto& peer : view->peers)
    regions.push_back({peer.identity.node, peer.identity.region, peer.rtt_ms, peer.usable()});
  place_copies result;
  result.id = wish.id;
  result.factor = wish.factor != 0 ? wish.factor : rules.factor;
  result.min_copies = rules.min_copies;
  result.candidates = rank_candidates(std::move(regions), rules);
  auto now = node_->time->now();
  result.lease = {wish.reason, 1.0, now, now, wish.ttl.count() != 0 ? wish.ttl : rules.ttl};
  return result;
}

} // namespace gnomon
