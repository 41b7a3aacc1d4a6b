// Changes of the cluster, as a feed tells them.
#include "actors/feed/feed.hpp"

#include "actors/node/policy.hpp"

namespace gnomon {

void feed_state::look_at_cluster() {
  auto told = changes_.last();
  auto view = node_->cluster.get();
  auto look_at = [this](const std::string& node, seen_peer is) {
    auto& was = cluster_[node];
    if (was.up != is.up)
      tell(change_of(is.up ? "node-up" : "node-down", node));
    if (was.fresh != is.fresh)
      tell(change_of(is.fresh ? "node-fresh" : "node-stale", node));
    was = is;
  };
  for (const auto& peer : view->peers)
    look_at(peer.identity.node, {peer.usable(), peer.usable() && peer.fresh});
  look_at(node_->self.node, {true, node_->is_fresh()});
  if (auto now = node_->policies.get(); now != policies_) {
    for (const auto& entry : now->all_entries())
      if (auto before = policies_->find(entry.scope, entry.name); !before || before->stamp != entry.stamp)
        tell(change_of("policy", std::string{gnomon::name(entry.scope)} + ':' + entry.name));
    policies_ = now;
  }
  if (auto version = node_->models.get()->version; version != model_) {
    model_ = version;
    tell(change_of("model", std::to_string(version)));
  }
  if (changes_.last() != told)
    answer_waiters();
}

/// The nodes as they are.
void feed_state::give_cluster(const waiter& to) {
  change_page page;
  auto position = to.position;
  position.present = feed_position::listing::none;
  page.position = position.to_text();
  for (const auto& [node, is] : cluster_)
    for (const auto* kind : {is.up ? "node-up" : "node-down", is.fresh ? "node-fresh" : "node-stale"}) {
      page.changes.push_back(change_of(kind, node));
      page.changes.back().position = page.position;
    }
  to.reply.give(std::move(page));
}

} // namespace gnomon
