// Questions about what users will read, and users who want to be forgotten: they concern all regions.
#include "actors/router.hpp"

namespace gnomon {

caf::error router_state::not_predicting() {
  return make_error(ec::unavailable, "this node does not predict: prediction.enabled is false");
}

void router_state::predict(const get_prediction& request, answer<prediction> reply) {
  auto predictor = node_->handles.get()->predictor;
  if (!predictor)
    return reply.fail(not_predicting());
  self_->request(predictor, node_->config.peer_timeout, request)
      .then([reply](prediction& found) { reply.give(std::move(found)); },
            [=, this](const caf::error& reason) {
              if (code_of(reason) != ec::not_found)
                return reply.fail(reason);
              auto nodes = std::make_shared<std::deque<std::string>>();
              auto view = node_->cluster.get();
              for (auto peer : view->by_latency())
                nodes->push_back(peer->identity.node);
              ask_peers(nodes, request, reply);
            });
}

/// Whoever reads elsewhere is known there.
void router_state::ask_peers(std::shared_ptr<std::deque<std::string>> nodes, get_prediction request,
                             answer<prediction> reply) {
  if (nodes->empty())
    return reply.fail(make_error(ec::not_found, "no region has learned from reads of this user"));
  auto view = node_->cluster.get();
  auto peer = view->find(nodes->front());
  nodes->pop_front();
  if (!peer || !peer->usable() || !peer->link)
    return ask_peers(nodes, std::move(request), reply);
  self_->request(peer->link, node_->config.peer_timeout, traffic::client, request)
      .then([reply](prediction& found) { reply.give(std::move(found)); },
            [=, this](const caf::error&) { ask_peers(nodes, request, reply); });
}

void router_state::forget(const forget_user& request, answer<forget_receipt> reply) {
  auto predictor = node_->handles.get()->predictor;
  if (!predictor)
    return reply.fail(not_predicting());
  struct outcome {
    size_t open = 1;
    forget_receipt receipt;
    std::string silent; // regions that did not confirm
  };
  auto all = std::make_shared<outcome>();
  all->receipt.user = request.user;
  auto done = [all, reply] {
    if (--all->open > 0)
      return;
    if (all->silent.empty())
      reply.give(std::move(all->receipt));
    else
      reply.fail(
          make_error(ec::unavailable, "not forgotten yet in " + all->silent + ", which did not confirm; repeat it"));
  };
  auto confirmed = [all, done](const forget_receipt& one) {
    all->receipt.regions += one.regions;
    done();
  };
  auto failed = [all, done](const std::string& region) {
    all->silent += (all->silent.empty() ? "" : ", ") + region;
    done();
  };
  self_->request(predictor, node_->config.peer_timeout, request).then(confirmed, [=, this](const caf::error&) {
    failed(node_->self.region);
  });
  auto view = node_->cluster.get();
  all->open += view->peers.size();
  for (const auto& peer : view->peers) {
    auto region = peer.identity.region;
    if (peer.usable() && peer.link)
      self_->request(peer.link, node_->config.peer_timeout, traffic::client, request)
          .then(confirmed, [=](const caf::error&) { failed(region); });
    else
      failed(region);
  }
}

} // namespace gnomon
