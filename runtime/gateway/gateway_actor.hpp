#pragma once

#include "actors/node/node_context.hpp"
#include "runtime/gateway/api.hpp"

#include <functional>

namespace gnomon {

/// Gives a reply back to the HTTP thread whose connection waits under `token`. Called on threads of the actor system.
using deliver_function = std::function<void(uint64_t token, http::client_result result)>;

/// Asks the router on behalf of one HTTP thread's request.
struct gateway_state {
  context_ptr node;
  deliver_function deliver;
};

gateway_actor::behavior_type gateway(gateway_actor::stateful_pointer<gateway_state> self, context_ptr node,
                                     deliver_function deliver);

} // namespace gnomon
