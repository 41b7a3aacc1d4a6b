// Questions about what users will read, and users who want to be forgotten: they concern all regions.
#include "actors/region/router.hpp"

namespace gnomon {

caf::error router_state::not_predicting() {
  return make_error(ec::unavailable, "this node does not predict: prediction.enabled is false");
}

void router_state::predict(const get_prediction& request, answer<prediction> reply) {
  auto search = std::make_shared<user_search>();
  auto view = node_->cluster.get();
  for (auto peer : view->by_latency())
    search->nodes.push_back(peer->identity.node);
  for (const auto& peer : view->peers)
    if (!peer.usable())
      note_refusal(*search, peer.identity.region, {});
  auto predictor = node_->handles.get()->predictor;
  if (!predictor) {
    note_refusal(*search, node_->self.region, make_error(node_->config.predict ? ec::unavailable : ec::rejected));
    return ask_peers(search, request, reply);
  }
  self_->request(predictor, node_->config.peer_timeout, request)
      .then([reply](prediction& found) { reply.give(std::move(found)); },
            [=, this](const caf::error& reason) {
              note_refusal(*search, node_->self.region, reason);
              ask_peers(search, request, reply);
            });
}

/// Whoever reads elsewhere is known there.
void router_state::ask_peers(std::shared_ptr<user_search> search, get_prediction request, answer<prediction> reply) {
  if (search->nodes.empty())
    return reply.fail(unknown(*search, request.user));
  auto view = node_->cluster.get();
  auto peer = view->find(search->nodes.front());
  search->nodes.pop_front();
  if (!peer || !peer->usable() || !peer->link) {
    if (peer)
      note_refusal(*search, peer->identity.region, {});
    return ask_peers(search, std::move(request), reply);
  }
  self_->request(peer->link, node_->config.peer_timeout, traffic::client, request)
      .then([reply](prediction& found) { reply.give(std::move(found)); },
            [=, this, region = peer->identity.region](const caf::error& reason) {
              note_refusal(*search, region, reason);
              ask_peers(search, request, reply);
            });
}

void router_state::note_refusal(user_search& search, const std::string& region, const caf::error& reason) {
  const auto why = reason ? code_of(reason) : ec::peer_gone;
  if (why == ec::not_found) {
    search.anyone_predicts = true;
    return;
  }
  auto& list = why == ec::rejected ? search.off : search.silent;
  list += (list.empty() ? "" : ", ") + region;
}

/// "Never seen" may be said only when everyone was asked who could have seen the user.
caf::error router_state::unknown(const user_search& search, const std::string& user) const {
  if (!search.silent.empty())
    return make_error(ec::unavailable,
                      "no region that answered has learned from reads of this user; did not answer: " + search.silent);
  if (!search.anyone_predicts)
    return not_predicting();
  if (!node_->effective_policy({}, user).learn)
    return make_error(ec::not_found, "nothing is learned from reads of this user: a policy says \"learn\": false");
  if (!search.off.empty())
    return make_error(ec::not_found,
                      "never seen: no region has learned from reads of this user; prediction is off in " + search.off);
  return make_error(ec::not_found, "never seen: no region has learned from reads of this user");
}

void router_state::forget(const forget_user& request, answer<forget_receipt> reply) {
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
  auto predictor = node_->handles.get()->predictor;
  if (predictor)
    self_->request(predictor, node_->config.peer_timeout, request).then(confirmed, [=, this](const caf::error&) {
      failed(node_->self.region);
    });
  else if (node_->config.predict)
    failed(node_->self.region);
  else
    confirmed({}); // nothing is learned here
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
