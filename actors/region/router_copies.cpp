// What a router finds out about one item from any of its copies, and what it asks a copy to do.
#include "actors/node/known_nodes.hpp"
#include "actors/region/router.hpp"

#include <algorithm>

namespace gnomon {

template <class Reply, class Message>
void router_state::ask_at(const std::string& node, const Message& question, std::function<void(const Reply&)> done,
                          error_taker failed) {
  auto view = node_->cluster.get();
  if (node == node_->self.node)
    self_->request(node_->shard(question.id), node_->config.peer_timeout, question)
        .then(std::move(done), std::move(failed));
  else if (auto peer = view->reachable(node))
    self_->request(peer->link, node_->config.peer_timeout, traffic::client, question)
        .then(std::move(done), std::move(failed));
  else
    failed(make_error(ec::peer_gone, "node " + node + " is not reachable"));
}

template void router_state::ask_at(const std::string&, const get_copy_report&, std::function<void(const copy_report&)>,
                                   error_taker);

void router_state::find_copy(const std::string& id, copy_taker found, error_taker failed) {
  auto begin = [=, this](const std::vector<std::string>& nodes, bool) {
    auto search = std::make_shared<item_search>();
    search->nodes.assign(nodes.begin(), nodes.end());
    auto view = node_->cluster.get();
    for (const auto& peer : view->peers)
      if (std::find(nodes.begin(), nodes.end(), peer.identity.node) == nodes.end())
        search->nodes.push_back(peer.identity.node);
    if (!node_->is_fresh() || !knows_all_nodes(*node_))
      search->problem = not_all_nodes_known(*node_);
    ask_for_copy(id, search, found, failed);
  };
  self_->request(node_->shard(id), node_->config.peer_timeout, locate_a_v, id).then(begin, failed);
}

/// Any holder knows all holders.
void router_state::ask_for_copy(const std::string& id, std::shared_ptr<item_search> search, copy_taker found,
                                error_taker failed) {
  if (search->nodes.empty())
    return failed(search->problem ? search->problem : make_error(ec::not_found, "no region holds '" + id + "'"));
  auto node = std::move(search->nodes.front());
  search->nodes.pop_front();
  fetch_item question{.id = id, .requester = node_->self.node, .without_values = true, .tombstones = true};
  ask_at<item_copy>(node, question, found, [=, this](const caf::error& reason) {
    if (auto code = code_of(reason); code != ec::not_here && code != ec::gone)
      search->problem =
          make_error(ec::unavailable, "node " + node + ", which may hold the item, does not answer; try again");
    ask_for_copy(id, search, found, failed);
  });
}

// -- the policy in force

/// Who wrote the item counts. An item that is not there yet has the policy that its first write would get.
void router_state::explain_policy(const get_effective_policy& request, answer<effective_policy> reply) {
  auto explain = [=, this](const version_set& versions) {
    reply.give(node_->policies.get()->explain(request, versions, node_->config));
  };
  if (!request.user.empty())
    return explain({});
  find_copy(
      request.id, [explain](const item_copy& copy) { explain(copy.versions); },
      [=](const caf::error& reason) { code_of(reason) == ec::not_found ? explain({}) : reply.fail(reason); });
}

// -- a copy that is to go

namespace {

/// Why the copy in that state is not dropped.
caf::error why_kept(holder_state role, const drop_shadow& request) {
  if (role == holder_state::left)
    return make_error(ec::not_found, "region " + request.region + " holds no copy of '" + request.id + "'");
  if (role == holder_state::durable)
    return make_error(ec::rejected, "the copy in region " + request.region
                                        + " is durable; only shadows can be dropped. Policies say where durable copies "
                                          "are (residency, min_copies)");
  return make_error(ec::unavailable, "the copy in region " + request.region + " is needed at this moment; try again");
}

} // namespace

void router_state::drop(const drop_shadow& request, answer<shadow_drop> reply) {
  std::string node = request.region == node_->self.region ? node_->self.node : std::string{};
  for (auto view = node_->cluster.get(); const auto& peer : view->peers)
    if (peer.identity.region == request.region)
      node = peer.identity.node;
  if (node.empty())
    return reply.fail(make_error(ec::not_found, "the cluster has no region '" + request.region + "'"));
  auto fail = [reply](const caf::error& reason) { reply.fail(reason); };
  auto ask = [=, this](const item_copy& copy) {
    if (copy.versions.deleted())
      return reply.fail(make_error(ec::gone, "the item was deleted; its last traces go by themselves"));
    if (auto role = copy.holders.state_of(node); role != holder_state::shadow)
      return reply.fail(why_kept(role, request));
    ask_at<steward_answer>(
        node, steward_order{request.id, node_->self.node, {}, steward_word::drop},
        [=](const steward_answer& there) {
          there.done ? reply.give({request.id, node}) : reply.fail(why_kept(there.role, request));
        },
        fail);
  };
  find_copy(request.id, ask, fail);
}

} // namespace gnomon
