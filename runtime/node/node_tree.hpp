#pragma once

#include "actors/cluster/membership.hpp"
#include "actors/node/supervisor.hpp"
#include "storage/kv_store.hpp"

#include <memory>
#include <vector>

namespace gnomon {

/// What a node's actors are made of.
struct node_parts {
  context_ptr node;
  std::vector<std::shared_ptr<kv_store>> stores;
  struct membership_config membership;
};

/// The supervision tree of a node: stores, membership, the region tree (the region and its shards), trainer,
/// prefetcher and predictor when the config wants them, agent, collector, repair, router, under the rules of
/// `restart_rules`. Every (re)start publishes the new handle in `node->handles`.
supervisor_config node_tree(const node_parts& parts);

} // namespace gnomon
