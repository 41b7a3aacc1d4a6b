// How a node is taken out for good, and how every node comes to know of it.
#include "actors/cluster/cluster_memory.hpp"
#include "actors/region/region.hpp"

#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr uint32_t hints_page = 1000;

} // namespace

void region_state::remove(const remove_node& request, answer<node_removal> reply) {
  if (request.node == node_->self.node)
    return reply.fail(make_error(ec::invalid_argument,
                                 "node " + request.node + " cannot remove itself; stop it, and ask another node"));
  auto view = node_->cluster.get();
  auto known = view->find(request.node);
  if (!known) {
    for (const auto& gone : node_->removed.get()->list())
      if (gone.node == request.node)
        return reply.give({gone.node, gone.incarnation, 0});
    return reply.fail(make_error(ec::not_found, "there is no node " + request.node + " in this cluster"));
  }
  if (known->usable() && !request.force)
    return reply.fail(make_error(ec::precondition_failed, "node " + request.node + " is "
                                                              + (known->state == peer_state::live ? "live" : "suspect")
                                                              + "; stop it first, or force its removal"));
  removed_node gone{request.node, known->identity.incarnation};
  node_removal done{gone.node, gone.incarnation, known->items};
  tell_peers({{}, {gone}}); // before membership forgets it: it hears of its removal as well
  node_->removed.update([&](removed_nodes& all) { all.add(gone); });
  save_removed({gone},
               [reply, done](caf::error problem) { problem ? reply.fail(std::move(problem)) : reply.give(done); });
}

/// Answers those that the sender does not know.
std::vector<removed_node> region_state::merge_removed(const std::vector<removed_node>& theirs) {
  auto ours = node_->removed.get()->list();
  std::vector<removed_node> news, unknown;
  for (const auto& gone : theirs)
    if (!std::binary_search(ours.begin(), ours.end(), gone))
      news.push_back(gone);
  for (const auto& gone : ours)
    if (std::find(theirs.begin(), theirs.end(), gone) == theirs.end())
      unknown.push_back(gone);
  if (!news.empty()) {
    node_->removed.update([&](removed_nodes& all) {
      for (const auto& gone : news)
        all.add(gone);
    });
    save_removed(news, [](const caf::error&) {});
  }
  return unknown;
}

/// Membership, the repair and the shadows follow what is published; the disk is for the next start.
void region_state::save_removed(const std::vector<removed_node>& news, std::function<void(caf::error)> then) {
  store_batch batch;
  for (const auto& gone : news) {
    auto ours = gone.node == node_->self.node && gone.incarnation == node_->self.incarnation;
    log::warn("region", ours ? "this-node-was-removed" : "node-removed", {{"node", gone.node}});
    auto entry = remember(gone);
    std::move(entry.puts.begin(), entry.puts.end(), std::back_inserter(batch.puts));
    greeted_.erase(gone.node);
    members_.erase(gone.node);
    forget_hints(gone.node);
  }
  auto handles = node_->handles.get();
  for (const auto& shard : handles->shards)
    self_->send(shard, rules_a_v);
  self_->request(handles->stores.front(), node_->config.request_timeout, std::move(batch))
      .then([then](const store_receipt&) { then({}); }, [then](const caf::error& reason) { then(reason); });
}

/// Nobody will come to fetch them.
void region_state::forget_hints(const std::string& peer) {
  auto range = keys::hints(peer);
  auto handles = node_->handles.get();
  for (const auto& store : handles->stores)
    self_->request(store, node_->config.request_timeout, store_scan{range.first, range.last, hints_page, true})
        .then(
            [this, peer, store](const store_entries& found) {
              if (found.entries.empty())
                return;
              store_batch done;
              for (const auto& [key, value] : found.entries)
                done.erases.push_back(key);
              self_->request(store, node_->config.request_timeout, std::move(done))
                  .then([this, peer](const store_receipt&) { forget_hints(peer); }, [](const caf::error&) {});
            },
            [](const caf::error&) {});
}

} // namespace gnomon
