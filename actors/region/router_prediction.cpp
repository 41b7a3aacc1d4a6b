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

/// A user who reads in another region is known there.
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

namespace {

/// A user is forgotten in all regions. The last answer decides.
struct forgetting {
  size_t open = 1; // regions that have not answered, this one included
  forget_receipt receipt;
  std::string silent; // regions that did not confirm

  void confirmed(const forget_receipt& one, const answer<forget_receipt>& reply) {
    receipt.regions += one.regions;
    close(reply);
  }
  void failed(const std::string& region, const answer<forget_receipt>& reply) {
    silent += (silent.empty() ? "" : ", ") + region;
    close(reply);
  }
  void close(const answer<forget_receipt>& reply) {
    if (--open > 0)
      return;
    if (silent.empty())
      reply.give(std::move(receipt));
    else
      reply.fail(make_error(ec::unavailable, "not forgotten yet in " + silent + ", which did not confirm; repeat it"));
  }
};

} // namespace

void router_state::forget(const forget_user& request, answer<forget_receipt> reply) {
  auto all = std::make_shared<forgetting>();
  all->receipt.user = request.user;
  auto confirmed = [=](const forget_receipt& one) { all->confirmed(one, reply); };
  auto failed_at = [=](const std::string& region) { return [=](const caf::error&) { all->failed(region, reply); }; };
  auto view = node_->cluster.get();
  all->open += view->peers.size();
  for (const auto& peer : view->peers) {
    const auto& region = peer.identity.region;
    if (peer.usable() && peer.link)
      self_->request(peer.link, node_->config.peer_timeout, traffic::client, request)
          .then(confirmed, failed_at(region));
    else
      all->failed(region, reply);
  }
  const auto& here = node_->self.region;
  if (auto predictor = node_->handles.get()->predictor)
    self_->request(predictor, node_->config.peer_timeout, request).then(confirmed, failed_at(here));
  else if (node_->config.predict)
    all->failed(here, reply);
  else
    confirmed({}); // nothing is learned here
}

} // namespace gnomon
