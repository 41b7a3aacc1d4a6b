#include "runtime/gateway/gateway_actor.hpp"

#include "actors/node/patience.hpp"

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
  const auto& limits = state.node->config;
  self->request(router, limits.patience(limits.request_timeout, bytes_moved(message)), message)
      .then([self, token](Reply& reply) { self->state.deliver(token, std::move(reply)); },
            [self, token](caf::error& err) { self->state.deliver(token, std::move(err)); });
}

} // namespace

gateway_actor::behavior_type gateway(gateway_pointer self, context_ptr node, deliver_function deliver) {
  self->state.node = std::move(node);
  self->state.deliver = std::move(deliver);
  return {
      [=](uint64_t token, const read_item& message) { ask<item_versions>(self, token, message); },
      [=](uint64_t token, const write_item& message) { ask<write_receipt>(self, token, message); },
      [=](uint64_t token, const list_items& message) { ask<item_page>(self, token, message); },
      [=](uint64_t token, const create_shadow& message) { ask<shadow_plan>(self, token, message); },
      [=](uint64_t token, const get_shadow_status& message) { ask<shadow_report>(self, token, message); },
      [=](uint64_t token, const put_policy& message) { ask<policy_list>(self, token, message); },
      [=](uint64_t token, const get_policies& message) { ask<policy_list>(self, token, message); },
      [=](uint64_t token, const get_route& message) { ask<route_list>(self, token, message); },
      [=](uint64_t token, const get_cluster& message) { ask<cluster_report>(self, token, message); },
      [=](uint64_t token, const remove_node& message) { ask<node_removal>(self, token, message); },
      [=](uint64_t token, const get_prediction& message) { ask<prediction>(self, token, message); },
      [=](uint64_t token, const forget_user& message) { ask<forget_receipt>(self, token, message); },
      [=](uint64_t token, const train_piece& message) { ask<training_status>(self, token, message); },
      [=](uint64_t token, const get_training& message) { ask<training_status>(self, token, message); },
  };
}

} // namespace gnomon
