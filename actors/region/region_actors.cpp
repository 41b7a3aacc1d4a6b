// The actors that the program around this node has published, as peers reach them.
#include "actors/region/region.hpp"

#include "actors/node/any_reply.hpp"
#include "actors/node/published_actors.hpp"

namespace gnomon {

caf::result<found_actor> region_state::find(const find_actor& request) const {
  auto entry = node_->actors.find(request.name);
  if (!entry)
    return make_error(ec::not_found, "node " + node_->self.node + " has no actor '" + request.name + "'");
  return found_actor{request.name, node_->self.node, entry->number, {entry->types.begin(), entry->types.end()}};
}

caf::result<actor_reply> region_state::pass_to_actor(const actor_message& message) {
  auto entry = node_->actors.find(message.name);
  if (!entry || entry->number != message.number)
    return make_error(ec::gone, "actor '" + message.name + "' at node " + node_->self.node + " has ended");
  auto content = unpack_message(self_->system(), message.content);
  if (!content)
    return content.error();
  if (!message.awaits_reply) {
    caf::anon_send(caf::actor_cast<caf::actor>(entry->actor), std::move(*content));
    return actor_reply{};
  }
  answer<actor_reply> reply{self_->make_response_promise<actor_reply>()};
  request_any(self_, entry->actor, node_->config.peer_timeout, std::move(*content),
              [this, reply](const caf::message& got) {
                auto bytes = pack_message(self_->system(), got);
                bytes ? reply.give({std::move(*bytes)}) : reply.fail(bytes.error());
              });
  return caf::delegated<actor_reply>{};
}

} // namespace gnomon
