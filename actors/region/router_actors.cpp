// The search for an actor that a program has published at one of the nodes.
#include "actors/region/router.hpp"

#include "actors/node/known_nodes.hpp"

namespace gnomon {

constexpr auto search_again_after = std::chrono::milliseconds{200};

/// Nodes that have just started do not know all others yet, so the search goes on for a while.
void router_state::find(const find_actor& request, answer<found_actor> reply) {
  auto until = self_->clock().now() + node_->config.peer_timeout;
  find_here(std::make_shared<actor_search>(actor_search{.request = request, .until = until}), std::move(reply));
}

void router_state::find_here(std::shared_ptr<actor_search> search, answer<found_actor> reply) {
  search->nodes.clear();
  search->silent = !knows_all_nodes(*node_);
  for (auto view = node_->cluster.get(); auto peer : view->by_latency())
    search->nodes.push_back(peer->identity.node);
  self_->request(node_->handles.get()->region, node_->config.peer_timeout, search->request)
      .then([reply](found_actor& found) { reply.give(std::move(found)); },
            [=, this](const caf::error&) { find_at_peers(search, reply); });
}

void router_state::find_at_peers(std::shared_ptr<actor_search> search, answer<found_actor> reply) {
  if (search->nodes.empty())
    return not_found_at_peers(search, reply);
  auto node = std::move(search->nodes.front());
  search->nodes.pop_front();
  auto view = node_->cluster.get();
  auto peer = view->reachable(node);
  if (!peer) {
    search->silent = true;
    return find_at_peers(search, reply);
  }
  self_->request(peer->link, node_->config.peer_timeout, traffic::client, search->request)
      .then([reply](found_actor& found) { reply.give(std::move(found)); },
            [=, this](const caf::error& reason) {
              search->silent |= code_of(reason) != ec::not_found;
              find_at_peers(search, reply);
            });
}

void router_state::not_found_at_peers(std::shared_ptr<actor_search> search, answer<found_actor> reply) {
  if (!search->silent)
    return reply.fail(make_error(ec::not_found, "no node has published an actor '" + search->request.name + "'"));
  if (self_->clock().now() < search->until)
    return postpone(search_again_after, [=, this] { find_here(search, reply); });
  reply.fail(make_error(ec::unavailable, "no node that can be reached has published an actor '" + search->request.name
                                             + "', and not all could be asked; try again"));
}

} // namespace gnomon
