#pragma once

#include "actors/node/node_context.hpp"
#include "storage/kv_store.hpp"

#include <optional>
#include <vector>

namespace gnomon {

/// What a store remembers of the cluster from one start of the node to the next: whom it knew, and who is out for good.
/// Without it a node that starts while others are away would take those it reaches for all there are.
struct cluster_memory {
  std::vector<node_identity> members;
  removed_nodes removed;
};

/// Reads it. Blocks; for the start, before the store has an actor. Errors: those of `kv_store`.
expected<cluster_memory> recall_cluster(kv_store& store);

/// What `keep_catalog` left here, once: it is erased. None when this store did not end well. Blocks, as above.
expected<std::optional<catalog_memory>> take_catalog(kv_store& store);
/// Keeps how far the catalog is, after all actors have ended.
expected<void> keep_catalog(kv_store& store, const node_counters& counters);

/// What has to be stored to keep one more of either.
store_batch remember(const node_identity& member);
store_batch remember(const removed_node& removed);

} // namespace gnomon
