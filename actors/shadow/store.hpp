#pragma once

#include "actors/node/node_context.hpp"
#include "storage/kv_store.hpp"

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace gnomon {

/// A group of batches that has grown to this size is synced at once, to bound memory and waiting.
inline constexpr size_t max_group_bytes = 8u << 20;

/// Owns the batches that wait for the next sync. Every waiting request gets an answer, even when the actor ends.
struct store_state {
  store_state() = default;
  ~store_state();

  const char* name = "store";
  store_actor::pointer self = nullptr;
  context_ptr node;
  std::shared_ptr<kv_store> database;

  struct waiting_batch {
    store_batch batch;
    caf::typed_response_promise<store_receipt> promise;
  };
  std::vector<waiting_batch> waiting;
  size_t waiting_bytes = 0;
  std::unordered_set<std::string> waiting_keys; // what the batches that wait will change
  uint64_t groups = 0;                          // synced since the start
  size_t losses = 0;                            // losses of the database that were reported
  bool full = false;                            // takes no writes
  memory_use::share memory;
  uint64_t hints = 0; // on disk, and what this store adds to the node's counter

  caf::result<store_receipt> enqueue(store_batch&& batch);
  void commit();
  /// Tells the node about new damage, and the shards whose items it hits.
  void tell_losses();
  void look_at_space();
  void note_full(bool now);
  void count_hints();
  int64_t hints_added_by(const std::vector<kv_write>& writes);
  caf::result<store_values> get(const store_get& request);
  caf::result<store_entries> scan(const store_scan& request);
};

/// Serves one database. Spawn it detached outside simulation: every handler may block on the disk.
store_actor::behavior_type store(store_actor::stateful_pointer<store_state> self, context_ptr node,
                                 std::shared_ptr<kv_store> database);

} // namespace gnomon
