#pragma once

#include "actors/cluster/membership.hpp"
#include "actors/node/supervisor.hpp"
#include "storage/kv_store.hpp"

#include <memory>
#include <vector>

namespace gnomon {

/// The parts that a node's actors are built from.
struct node_parts {
  context_ptr node;
  std::vector<std::shared_ptr<kv_store>> stores;
  struct membership_config membership;
};

/// The supervision tree of a node: stores, membership, the region tree (shards, anti-entropy, region), trainer,
/// prefetcher and predictor if the config enables them, agent, collector, repair, router, pulse. The rules are those of
/// `restart_rules`. Every start and restart publishes the new handle in `node->handles`.
supervisor_config node_tree(const node_parts& parts);

} // namespace gnomon
