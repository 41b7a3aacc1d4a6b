#pragma once

#include "actors/node_context.hpp"

#include <map>
#include <string>
#include <vector>

namespace gnomon {

struct membership_config {
  std::vector<std::string> seeds; // host:port; the node's own address among them does no harm
  dialer_actor dialer;
  duration dial_timeout = 3s; // one attempt, greeting included
  duration backoff_first = 100ms;
  duration backoff_last = 5s;
  uint32_t max_nodes = 1024; // gossip about more is ignored
};

struct membership_state;

/// Keeps the node in touch with its cluster.
membership_actor::behavior_type membership(membership_actor::stateful_pointer<membership_state> self, context_ptr node,
                                           membership_config config);

} // namespace gnomon
