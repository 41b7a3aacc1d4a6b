#pragma once

#include "actors/node/node_context.hpp"

namespace gnomon {

/// The shadowing agent: passes access samples to the items' shadows and to the predictor, and decides which regions get
/// copies.
class agent_state {
public:
  using self_pointer = agent_actor::stateful_pointer<agent_state>;

  agent_state() = default;
  const char* name = "agent";

  void start(self_pointer self, context_ptr node);
  void spread(const access_batch& batch);
  /// The live, permitted regions by lowest measured round trip from here, with the numbers that the policy asks for.
  place_copies plan(const create_shadow& wish) const;
  shard_actor shard_for(const std::string& id) const;

private:
  self_pointer self_ = nullptr;
  context_ptr node_;
};

agent_actor::behavior_type agent(agent_actor::stateful_pointer<agent_state> self, context_ptr node);

} // namespace gnomon
