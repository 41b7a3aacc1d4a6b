#include "actors/region/agent.hpp"

#include <map>

namespace gnomon {

agent_actor::behavior_type agent(agent_actor::stateful_pointer<agent_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](const access_batch& batch) { state.spread(batch); },
  };
}

void agent_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
}

void agent_state::spread(const access_batch& batch) {
  std::map<size_t, access_batch> by_shard;
  for (const auto& sample : batch.samples)
    if (sample.from_index)
      by_shard[shard_of(sample.id)].samples.push_back(sample);
  auto handles = node_->handles.get();
  for (auto& [index, samples] : by_shard)
    self_->send(handles->shards[index], std::move(samples));
  if (handles->predictor)
    self_->send(handles->predictor, batch);
}

} // namespace gnomon
