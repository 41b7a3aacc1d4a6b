#pragma once

#include <cstdint>

namespace gnomon {

/// Mistakes that a node makes on purpose, so that the simulator can show that it notices them. No config file can ask
/// for one. Where one is planted stands `config.fault == deliberate_fault::...`, nothing else.
enum class deliberate_fault : uint8_t {
  none,
  skip_sync,                   // a disk that says "synced" and has not
  publish_before_sync,         // readers see a version before it is on disk
  reap_on_lease_expiry,        // a holder whose lease must have ended counts as one that confirmed its drop
  reuse_dot_after_drop,        // a copy that was dropped and regained goes on under its old holding id
  reuse_dot_after_lost_disk,   // a store that was remade keeps its incarnation
  reuse_dot_after_snapshot,    // so does one that was put back to an older state
  install_fetched_over_update, // a fetched value replaces what arrived meanwhile
  accept_without_joining,      // an update is taken in where there is no record
  expire_unreplicated_write,   // a pinned copy goes when its lease ends
  demote_two_at_once,          // two holders may give up their durable copies at the same time
  serve_index_after_freeze,    // the read index is trusted although the node may have missed everything
  forget_context,              // a write replaces what its writer has not seen
  ignore_new_residency,        // a rule that arrives while a copy or a write is under way is not looked at again
  delete_without_asking,       // a delete or a condition is decided where nobody was asked who has the item
  freshness_not_carried,       // a holder that may be behind gives its copy as current
  absent_for_unreachable,      // an item is called absent although nodes that may have it could not be asked
  reuse_generation,            // a catalog that is numbered anew keeps its generation
};

} // namespace gnomon
