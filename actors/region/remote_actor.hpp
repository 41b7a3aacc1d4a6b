#pragma once

#include "actors/messages/actor_messages.hpp"
#include "actors/node/node_context.hpp"

#include <caf/fwd.hpp>

namespace gnomon {

/// Stands at this node for an actor that a program has published at another. Passes each message over the link, within
/// the link's bounds, and the reply back. Ends, with `remote_link_unreachable`, when the other node cannot be reached
/// any more, has started anew, or no longer has the actor.
caf::actor spawn_remote_actor(caf::actor_system& system, context_ptr node, found_actor what);

} // namespace gnomon
