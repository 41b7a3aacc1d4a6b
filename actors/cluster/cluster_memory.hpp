#pragma once

#include "actors/node/node_context.hpp"
#include "storage/kv_store.hpp"

#include <optional>
#include <vector>

namespace gnomon {

/// What a store remembers of the cluster from one start of the node to the next: the known nodes, and those that were
/// removed for good. Without it, a node that starts while others are away would believe that the nodes it reaches are
/// all there are.
struct cluster_memory {
  std::vector<node_identity> members;
  std::vector<std::string> addresses; // of all that were ever met, removed ones included
  removed_nodes removed;
};

/// Reads it. Blocks. For the start, before the store has an actor. Errors: those of `kv_store`.
expected<cluster_memory> recall_cluster(kv_store& store);

/// Takes what `keep_catalog` left here, and erases it. Nothing when the last run did not end cleanly. Blocks, as above.
expected<std::optional<catalog_memory>> take_catalog(kv_store& store);
/// Stores how far the catalog is, after all actors have ended.
expected<void> keep_catalog(kv_store& store, const node_counters& counters);

/// The batch that stores one more of either.
store_batch remember(const node_identity& member);
store_batch remember(const removed_node& removed);

} // namespace gnomon
