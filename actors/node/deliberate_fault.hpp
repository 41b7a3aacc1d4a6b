#pragma once

#include <cstdint>

namespace gnomon {

/// Mistakes that a node makes on purpose, so that the simulator can show that it notices them. No config file can
/// enable one. The code plants one only as `config.fault == deliberate_fault::...`.
enum class deliberate_fault : uint8_t {
  none,
  skip_sync,                   // the disk says "synced" without syncing
  publish_before_sync,         // readers see a version before it is on disk
  reap_on_lease_expiry,        // a holder whose lease must have ended counts as having confirmed its drop
  reuse_dot_after_drop,        // a copy that was dropped and regained continues under its old holding id
  reuse_dot_after_lost_disk,   // a store that was remade keeps its incarnation
  reuse_dot_after_snapshot,    // a store that was put back to an older state keeps its incarnation
  install_fetched_over_update, // a fetched value replaces what arrived meanwhile
  accept_without_joining,      // an update is accepted where there is no record
  expire_unreplicated_write,   // a pinned copy is dropped when its lease ends
  demote_two_at_once,          // two holders may give up their durable copies at the same time
  serve_index_after_freeze,    // the read index is trusted although the node may have missed everything
  forget_context,              // a write replaces what its writer has not seen
  ignore_new_residency,        // a rule that arrives while a copy or a write is under way is not checked again
  delete_without_asking,       // a delete or a condition is decided without asking who has the item
  freshness_not_carried,       // a holder that may be behind gives its copy as current
  absent_for_unreachable,      // an item is called absent although nodes that may have it did not answer
  absent_by_old_catalog,       // an item is called absent by what was known of other nodes a while ago
  reuse_generation,            // a catalog that gets new numbers keeps its generation
};

} // namespace gnomon
