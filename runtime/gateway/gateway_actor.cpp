#include "runtime/gateway/gateway_actor.hpp"

namespace gnomon {

namespace {

using gateway_pointer = gateway_actor::stateful_pointer<gateway_state>;

template <class Reply, class Message>
void ask(gateway_pointer self, uint64_t token, const Message& message) {
  auto& state = self->state;
  auto router = state.node->handles.get()->router;
  if (!router) {
    state.deliver(token, make_error(ec::unavailable, "the node is still starting; try again"));
    return;
  }
  // The connection has a deadline, and so has each part that may wait for long. A timer for each request would live
  // until its end, answered or not.
  self->request(router, caf::infinite, message)
      .then([self, token](Reply& reply) { self->state.deliver(token, std::move(reply)); },
            [self, token](caf::error& err) { self->state.deliver(token, std::move(err)); });
}

template <class... Es>
gateway_actor::behavior_type behavior_of(gateway_pointer self, std::tuple<Es...>*) {
  return {[self](uint64_t token, const typename Es::request_type& message) {
    ask<typename Es::reply_type>(self, token, message);
  }...};
}

} // namespace

gateway_actor::behavior_type gateway(gateway_pointer self, context_ptr node, deliver_function deliver) {
  self->state.node = std::move(node);
  self->state.deliver = std::move(deliver);
  return behavior_of(self, static_cast<client_exchanges*>(nullptr));
}

} // namespace gnomon
