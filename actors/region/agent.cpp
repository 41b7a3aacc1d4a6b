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

/// What the copy costs stands in the read index; of an item that is not there only the gap counts.
void agent_state::learn(const access_sample& sample) {
  auto copy = stable_hash(sample.id);
  auto now = static_cast<double>(sample.at.time_since_epoch().count()) / 1000;
  auto entry = node_->index.peek(sample.id);
  uint64_t bytes = 0;
  for (size_t i = 0; entry && i < entry->versions.values.size(); ++i)
    bytes += entry->versions.values[i].size();
  learning::gap_kind kind{.type = data_type(sample.id), .bytes = bytes};
  if (sample.write)
    lifetimes_.expect(copy, kind, now); // its first read here
  else
    lifetimes_.read(copy, kind, entry ? entry->costs : learning::copy_costs{}, now);
}

void agent_state::spread(const access_batch& batch) {
  for (const auto& sample : batch.samples)
    learn(sample);
  if (published_ != lifetimes_.fits()) {
    published_ = lifetimes_.fits();
    node_->lifetimes.set(lifetimes_.table());
  }
  std::map<size_t, access_batch> by_shard;
  for (const auto& sample : batch.samples)
    if (sample.from_index || sample.elsewhere > 0)
      by_shard[shard_of(sample.id)].samples.push_back(sample);
  auto handles = node_->handles.get();
  for (auto& [index, samples] : by_shard)
    self_->send(handles->shards[index], std::move(samples));
  if (handles->predictor)
    self_->send(handles->predictor, batch);
}

} // namespace gnomon
