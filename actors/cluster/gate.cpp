#include "actors/cluster/gate.hpp"

namespace gnomon {

gate_actor::behavior_type gate(gate_actor::stateful_pointer<gate_state> self, context_ptr node) {
  return {
      [=](const hello& greeting) -> caf::result<hello> {
        auto membership = node->handles.get()->membership;
        if (!membership)
          return make_error(ec::unavailable, "node " + node->self.node + " is still starting; try again");
        return self->delegate(membership, greeting);
      },
      [=](const hello_client&) -> caf::result<client_welcome> {
        auto router = node->handles.get()->router;
        if (!router)
          return make_error(ec::unavailable, "node " + node->self.node + " is still starting; try again");
        return client_welcome{node->self, router};
      },
  };
}

} // namespace gnomon
