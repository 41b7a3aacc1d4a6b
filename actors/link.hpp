#pragma once

#include "actors/node_context.hpp"

#include <string>

namespace gnomon {

struct link_config {
  std::string peer;       // node at the other end
  membership_actor owner; // told when a session is lost, answers the peer's pings
};

struct link_state;

/// One end of the connection to a peer.
link_actor::behavior_type link(link_actor::stateful_pointer<link_state> self, context_ptr node, link_config config);

} // namespace gnomon
