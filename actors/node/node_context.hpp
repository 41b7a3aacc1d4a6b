#pragma once

#include "actors/messages/protocol.hpp"
#include "actors/node/background_pace.hpp"
#include "actors/node/crowded_items.hpp"
#include "actors/node/deliveries.hpp"
#include "actors/node/followed.hpp"
#include "actors/node/forgotten_users.hpp"
#include "actors/node/known_ids.hpp"
#include "actors/node/known_shells.hpp"
#include "actors/node/memory_use.hpp"
#include "actors/node/policy.hpp"
#include "actors/node/published_actors.hpp"
#include "actors/node/read_index.hpp"
#include "actors/node/read_latencies.hpp"
#include "actors/node/removed_nodes.hpp"
#include "actors/node/settings.hpp"
#include "actors/node/slice_ages.hpp"
#include "actors/node/token_table.hpp"
#include "learning/economy/lifetime_table.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/published.hpp"
#include "runtime/location/locator.hpp"
#include "runtime/location/round_trip_estimate.hpp"
#include "storage/kv_store.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gnomon {

/// One other node as membership sees it.
struct peer_view {
  node_identity identity;
  peer_state state = peer_state::unknown;
  double rtt_ms = -1; // smoothed; -1 before the first pong
  link_actor link;    // stays valid over reconnects
  uint64_t items = 0;
  uint64_t shadows = 0;
  uint64_t bytes = 0;
  uint64_t tombstones = 0;
  double load = 0;           // as it said: 0 to 1
  bool fresh = true;         // it said that it may call its copies current
  bool caught_up = true;     // this node has everything that the peer kept for it
  int64_t answered_ms = 0;   // `steady_ms` of the last ping that it answered; 0: none
  int64_t away_since_ms = 0; // `steady_ms`; 0: it is not down
  bool usable() const {
    return state == peer_state::live || state == peer_state::suspect;
  }
};

/// The cluster as this node sees it, published by membership. Sorted by node name; does not contain the node itself.
struct cluster_view {
  std::vector<peer_view> peers;
  size_t unmet_seeds = 0; // there is a node at each, but nothing else is known of it
  const peer_view* find(std::string_view node) const;
  /// The peer of that name, when it can be asked: usable, and with a link. Else null.
  const peer_view* reachable(std::string_view node) const;
  /// Usable peers: live ones before suspects, then lowest round trip first.
  std::vector<const peer_view*> by_latency() const;
  /// All peers' names.
  std::vector<std::string> names() const;
};

/// The node's current actors. The supervisors publish them at every start and restart, so nobody keeps a dead handle.
struct node_handles {
  std::vector<store_actor> stores;
  membership_actor membership;
  region_actor region;
  std::vector<shard_actor> shards;
  anti_entropy_actor anti_entropy;
  predictor_actor predictor; // null when prediction is off, like the prefetcher
  prefetcher_actor prefetcher;
  trainer_actor trainer; // null when prediction is off
  agent_actor agent;
  collector_actor collector;
  repair_actor repair;
  feed_actor feed;
  router_actor router;
};

/// Counters that any thread increments; /metrics and pings read them.
struct node_counters {
  std::atomic<uint64_t> reads_local{0}, reads_remote{0}, reads_failed{0}, reads_hedged{0}, writes{0};
  std::atomic<uint64_t> shadows_created{0}, shadows_dropped{0}, shadow_crashes{0}, active_shadows{0};
  std::atomic<uint64_t> activations_refused{0};         // activations of items, because too many were in use
  std::atomic<uint64_t> requests_shed{0};               // requests of peers that had given up before their turn came
  std::atomic<uint64_t> reads_not_kept{0};              // reads from the index whose counts were lost
  std::atomic<uint64_t> items{0}, shadows{0}, bytes{0}; // held now
  std::atomic<uint64_t> tombstones{0}, reaped{0};       // deleted items held now; forgotten since the start
  std::atomic<uint64_t> comparisons{0}, differences{0}, comparison_bytes{0};
  std::atomic<uint64_t> bytes_in{0}, bytes_out{0}; // item bytes moved between regions
  std::atomic<uint64_t> hints{0};                  // on disk now: updates that peers have not got yet
  std::atomic<uint64_t> undelivered{0};            // of these, refused by the peer: the item's problem, not the node's
  std::atomic<uint64_t> copies_damaged{0}, copies_mended{0};
  std::atomic<uint64_t> changes_told{0}, changes_missed{0}; // to followers of items; those told by a later one alone
  std::atomic<uint64_t> writes_refused{0};                  // they would have made too many versions of an item
  std::atomic<uint64_t> store_syncs{0}, store_writes{0}, store_failures{0};
  std::atomic<uint64_t> store_losses{0};                        // damaged parts that were found
  std::atomic<uint64_t> stores_full{0};                         // now: stores that take no writes
  std::atomic<uint64_t> shadows_refused{0}, shadows_evicted{0}; // because of `store.max_bytes`
  std::atomic<uint64_t> records_read{0};                        // since the reading of the stores began
  std::atomic<bool> rules_known{false}; // the policies are read: from then on requests are taken
  std::atomic<uint64_t> reads_stale{0}, catch_ups{0};
  std::atomic<uint64_t> reads_absent{0}; // of ids that nobody is known to hold, and nobody was asked for
  std::atomic<uint64_t> repair_checked{0}, repair_repaired{0}, repair_failed{0}; // items
  std::atomic<uint64_t> repair_under_way{0};                                     // items now
  std::atomic<bool> repair_active{false};
  std::array<std::atomic<uint64_t>, shard_count> catalog_heads{}; // change number of each slice of this node
  std::array<std::atomic<uint64_t>, shard_count> catalog_digests{};
  std::atomic<uint64_t> catalog_generation{0}; // of these numbers; 0: the reading of the stores has not begun
  std::atomic<uint32_t> catalog_news{0};       // items that began here since the last heartbeat
  std::array<std::atomic<bool>, shard_count> catalogs_whole{}; // each slice: who holds what is known, here and at peers
  std::atomic<uint32_t> shards_ready{0};                       // shards that have read their slice of the store
  /// For peers. 0 while the stores are read, because the catalog does not yet have all items.
  uint64_t announced_generation() const {
    return shards_ready < shard_count ? 0 : catalog_generation.load();
  }
};

/// What prediction does, and how well. Predictor and prefetcher write it, /metrics reads it.
struct prediction_counters {
  std::atomic<uint64_t> accesses{0}, skipped{0};        // learned from; skipped because too many were waiting
  std::atomic<uint64_t> predictions{0}, nanoseconds{0}; // inferences, and the time they took
  std::atomic<uint64_t> issued{0}, refused{0};          // copies made ahead; wishes over the budget
  std::atomic<uint64_t> used{0}, wasted{0};             // issued ones that were read; those whose lease ended unread
  std::atomic<uint64_t> bytes{0}, wasted_bytes{0};
  std::atomic<uint64_t> lead_ms{0};         // of the used ones: from the copy to its first read
  std::atomic<double> threshold{0};         // least confidence for which a copy is made now
  std::atomic<double> calibration_error{0}; // mean distance between stated confidence and what came true
};

namespace learning {
struct trained_models;
}

/// The trained models in service, published by the trainer; null: none, and version 0.
struct served_models {
  uint64_t version = 0; // milliseconds since 1970 on the clock of the node that trained them
  std::shared_ptr<const learning::trained_models> models;
};

/// What all actors of one node share. Owned by the node, outlives its actors. All members are safe from any thread.
struct node_context {
  node_context(node_identity who, settings s, std::shared_ptr<const clock> c)
      : self(std::move(who)), config(std::move(s)), time(std::move(c)), index(config.read_index_bytes) {}

  node_identity self;
  settings config;
  std::shared_ptr<const clock> time;
  published<cluster_view> cluster;
  published<node_handles> handles;
  published<policy_table> policies;
  published<removed_nodes> removed;
  published<token_table> tokens;          // of those who may ask over HTTP
  published<std::vector<kv_loss>> lost;   // damaged parts of the stores, found since the start
  published<std::string> reading_problem; // why a store cannot be read at the moment; empty: it can
  published<served_models> models;
  published<learning::lifetime_table> lifetimes;                 // learned by the agent
  std::shared_ptr<locator> places = std::make_shared<locator>(); // of clients; set before actors start
  published<std::vector<ip_prefix>> proxies;                     // whose word on who asked them counts
  published<round_trip_estimate> distances;                      // to the regions
  deliveries owed;                                               // to peers
  followed follows;                                              // items of which shadows tell the feed
  published_actors actors;                                       // of the program around
  known_shells shells;                                           // programs elsewhere, over the tunnel
  background_pace pace;
  read_latencies latencies;                   // of reads at other nodes
  std::optional<catalog_memory> last_catalog; // of the last run, when it ended cleanly; for the first read of the store
  /// Called by the shards with each item whose holders change, tombstones left out; from many threads. None of the
  /// copies ends by itself before `until` (as in `catalog_row`). Geo-DNS listens. Set before actors start; empty:
  /// nobody listens.
  std::function<void(const std::string& id, const std::vector<std::string>& nodes, uint32_t until)> holders_changed;
  /// Called by a shard that ends, whose catalog is gone with it. All shards end before a new one starts.
  std::function<void()> catalog_lost;
  /// What Geo-DNS has counted since its start, by name. Thread-safe while HTTP is served; empty: no DNS here.
  std::function<std::map<std::string, uint64_t>()> dns_counts;
  read_index index;
  memory_use memory;
  known_ids ids;     // held anywhere, or in use here
  slice_ages slices; // how old that knowledge is
  crowded_items crowded;
  node_counters counters;
  prediction_counters predicting;
  /// Milliseconds of a clock that never jumps, and that goes on while the process or the machine is stopped.
  /// Thread-safe. The simulator puts its own clock here before actors start.
  std::function<int64_t()> steady_ms = &boot_ms;
  /// Until this time (`steady_ms`) enough peers have answered for the node to call its copies current.
  std::atomic<int64_t> fresh_until_ms{0};
  bool is_fresh() const;
  /// When this node noticed that it is not fresh (`steady_ms`). Other nodes answer its reads for a while. 0: it is
  /// fresh.
  std::atomic<int64_t> lapsed_at_ms{0};
  /// True when this node knows of the slice who held what at most `catalog_age` ago, wherever it is. An id in it that
  /// nobody is known to hold did not exist then.
  bool knows_slice(size_t slice) const;
  /// True for an id that nobody held then, nor uses here now. False also for some others. Asks no actor.
  bool nobody_holds(std::string_view id) const {
    return !ids.may_have(id) && knows_slice(shard_of(id));
  }
  /// True when the node holds as much as its config allows: it takes no further shadows.
  bool is_full() const {
    return config.store_max_bytes > 0 && counters.bytes.load(std::memory_order_relaxed) >= config.store_max_bytes;
  }
  /// True when a node of that name was removed for good, and no other store uses the name since.
  bool is_removed(const std::string& node) const;

  /// A sequence number that this store has never given out, over all starts (see `holding_id`).
  uint64_t next_holding_sequence() {
    return holding_sequence.fetch_add(1);
  }
  std::atomic<uint64_t> holding_sequence{0}; // high half: number of the process start, kept in the store

  published<forgotten_users> forgotten;

  policy effective_policy(std::string_view id, std::string_view user) const {
    return policies.get()->resolve(id, user, config);
  }
  /// The policy of an item with these versions. A region must be allowed by the rule of each version's user, not only
  /// by the creator's.
  policy policy_of(std::string_view id, const version_set& versions) const {
    return policies.get()->resolve_versions(id, versions, config);
  }
  /// False when a rule keeps the entry's item away from here, and the entry is still in the index.
  bool may_serve(const index_entry& entry) const {
    auto table = policies.get();
    return !table->restricts()
           || table->resolve_versions(entry.versions.id, entry.versions.versions, config).allows(self.region);
  }
  caf::error still_starting() const;
  /// The error for what a residency rule forbids: in this region, or at the node of that name.
  caf::error kept_away() const;
  static caf::error kept_away_from(const std::string& node);
  /// The actors that keep the item on this node now. Ask for each message, because a restart replaces them.
  shard_actor shard(std::string_view id) const {
    return handles.get()->shards[shard_of(id)];
  }
  store_actor store(std::string_view id) const {
    auto current = handles.get();
    return current->stores[shard_of(id) % current->stores.size()];
  }
};

using context_ptr = std::shared_ptr<node_context>;

} // namespace gnomon
