#include "actors/region/remote_actor.hpp"

#include "actors/node/published_actors.hpp"

#include <caf/all.hpp>

namespace gnomon {

namespace {

constexpr auto look_every = std::chrono::milliseconds{500};
constexpr int looks_for_a_question = 4; // is it still published?

struct remote_actor_state {
  const char* name = "remote-actor";
  caf::event_based_actor* self = nullptr;
  context_ptr node;
  found_actor what;
  uint64_t peer_start = 0; // of the other node, when the actor was found
  int looks = 0;

  /// The other node, while it is the one where the actor was found.
  link_actor link() const {
    auto view = node->cluster.get();
    auto peer = view->reachable(what.node);
    return peer && peer->identity.start == peer_start ? peer->link : link_actor{};
  }
  void end() {
    self->quit(caf::exit_reason::remote_link_unreachable);
  }

  caf::result<caf::message> pass(caf::message content, bool awaits_reply) {
    auto bytes = pack_message(self->system(), content);
    if (!bytes)
      return bytes.error();
    auto to = link();
    if (!to) {
      end();
      return make_error(ec::peer_gone,
                        "node " + what.node + ", where actor '" + what.name + "' lives, is not reachable");
    }
    auto promise = self->make_response_promise();
    self->request(to, caf::infinite, traffic::client, actor_message{what.name, what.number, *bytes, awaits_reply})
        .then([this, promise](const actor_reply& reply) mutable { deliver(promise, reply); },
              [this, promise](const caf::error& reason) mutable {
                promise.deliver(reason);
                if (code_of(reason) == ec::gone)
                  end();
              });
    return promise;
  }
  void deliver(caf::response_promise& promise, const actor_reply& reply) {
    auto content = reply.content.size() > 0 ? unpack_message(self->system(), reply.content) : caf::message{};
    if (!content)
      promise.deliver(content.error());
    else if (content->match_elements<caf::error>())
      promise.deliver(content->get_as<caf::error>(0));
    else
      promise.deliver(std::move(*content));
  }
  void look() {
    auto to = link();
    if (!to)
      return end();
    self->delayed_send(self, look_every, tick_a_v);
    if (++looks % looks_for_a_question != 0)
      return;
    self->request(to, caf::infinite, traffic::repair, find_actor{what.name})
        .then(
            [this](const found_actor& present) {
              if (present.number != what.number)
                end();
            },
            [this](const caf::error& reason) {
              if (code_of(reason) == ec::not_found)
                end();
            });
  }
};

caf::behavior remote_actor(caf::stateful_actor<remote_actor_state>* self, context_ptr node, found_actor what) {
  auto& state = self->state;
  state.self = self;
  state.node = std::move(node);
  state.what = std::move(what);
  auto view = state.node->cluster.get();
  if (auto peer = view->find(state.what.node))
    state.peer_start = peer->identity.start;
  self->set_default_handler(
      [&state](caf::scheduled_actor* self, caf::message_view& message) -> caf::result<caf::message> {
        auto element = self->current_mailbox_element();
        return state.pass(message.move_content_to_message(), element && element->mid.is_request());
      });
  self->delayed_send(self, look_every, tick_a_v);
  return {[&state](tick_a) { state.look(); }};
}

} // namespace

caf::actor spawn_remote_actor(caf::actor_system& system, context_ptr node, found_actor what) {
  return system.spawn(remote_actor, std::move(node), std::move(what));
}

} // namespace gnomon
