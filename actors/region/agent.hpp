#pragma once

#include "actors/node/node_context.hpp"
#include "learning/economy/lifetimes.hpp"

namespace gnomon {

/// The shadowing agent: watches access patterns. Every part that serves a read or takes a write hands it a sample. It
/// passes all samples to the predictor. It passes reads that no shadow has seen to the shards, which know how long a
/// copy is still wanted. From the gaps between reads it learns how long copies are worth keeping, for all shadows.
class agent_state {
public:
  using self_pointer = agent_actor::stateful_pointer<agent_state>;

  agent_state() = default;
  const char* name = "agent";

  void start(self_pointer self, context_ptr node);
  void spread(const access_batch& batch);

private:
  void learn(const access_sample& sample);

  self_pointer self_ = nullptr;
  context_ptr node_;
  learning::adaptive_lifetimes lifetimes_;
  size_t published_ = 0; // fits of `lifetimes_` that shadows know
};

agent_actor::behavior_type agent(agent_actor::stateful_pointer<agent_state> self, context_ptr node);

} // namespace gnomon
