#pragma once

#include "actors/node/node_context.hpp"

namespace gnomon {

struct gate_state {};

/// The actor that a node publishes: greets other nodes' links (through membership) and clients, nothing else.
gate_actor::behavior_type gate(gate_actor::stateful_pointer<gate_state> self, context_ptr node);

} // namespace gnomon
