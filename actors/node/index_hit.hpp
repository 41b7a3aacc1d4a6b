#pragma once

#include "actors/node/node_context.hpp"

#include <algorithm>

namespace gnomon {

/// The entry that answers a read of `id` here and now. Null when actors have to answer the read. A hit counts while its
/// lease runs, none of its values has expired, no residency rule forbids it here, the node is fresh, and it is at least
/// as new as `seen`. The hit renews the lease. The caller reports the access to the agent. Thread-safe.
inline std::shared_ptr<const index_entry> index_hit(const node_context& node, std::string_view id,
                                                    const version_vector& seen = {}) {
  auto entry = node.index.find(id);
  if (!entry)
    return nullptr;
  auto now = node.time->now();
  const auto& versions = entry->versions.versions;
  auto ended = std::any_of(versions.siblings.begin(), versions.siblings.end(),
                           [now](const sibling& version) { return version.ended(now); });
  auto fresh = node.is_fresh() || node.config.fault == deliberate_fault::serve_index_after_freeze;
  if (ended || !fresh || !entry->lease_runs(now) || !node.may_serve(*entry) || !versions.context.covers(seen))
    return nullptr;
  entry->last_read_ms.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  return entry;
}

} // namespace gnomon
