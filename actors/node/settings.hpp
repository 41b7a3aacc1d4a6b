#pragma once

#include "actors/node/deliberate_fault.hpp"
#include "learning/economy/prices.hpp"
#include "runtime/base/clock.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gnomon {

using namespace std::chrono_literals;

/// As a lifetime: as long as the copy pays for itself (see `copy_economy.hpp`).
inline constexpr duration adaptive_lifetime{-1};

/// What a node's config tells its actors. Leases run on the node's clock, everything else on real time.
struct settings {
  // placement
  uint32_t factor = 3;     // copies at first access
  uint32_t min_copies = 2; // durable ones among them
  uint32_t acks = 1;       // holders that must have a write synced before it is acknowledged
  bool last_writer_wins = false;
  bool shadow_on_read = true;              // leave a shadow where an item was read
  duration shadow_ttl = adaptive_lifetime; // renewed by each read; zero: no end
  bool durable_follows = false;            // durable copies move to where their item is wanted
  uint32_t follow_after = 10;              // reads and writes at a copy, in about a day, before it may become durable
  duration join_timeout = 60s;             // a joining record that got no value by then is dropped

  // economy
  learning::price_table prices = learning::price_table::flat({});
  double usd_per_ms = learning::default_usd_per_ms; // what a millisecond of a reader's waiting is worth

  // bounds
  duration request_timeout = 10s; // one client request, all retries together
  duration peer_timeout = 8s;     // one request to one peer
  uint32_t max_active_shadows = 100'000;
  duration shadow_idle = 30s; // a shadow sleeps after that long without a message
  uint64_t read_index_bytes = 256u << 20;
  uint64_t link_queue_bytes = 64u << 20;
  uint32_t link_queue_messages = 65'536;
  uint64_t link_credit_bytes = 4u << 20; // sent and not yet credited
  uint32_t link_credit_messages = 256;

  uint64_t link_floor = 64u << 10; // bytes a second: extra time for a request that moves a value

  // versions of one item without common history: a write without a context may not make more
  uint32_t max_versions = 100;
  uint64_t max_versions_bytes = 64u << 20; // of all together

  /// How long a request may take that moves `bytes` of values.
  duration patience(duration base, uint64_t bytes) const {
    return base + duration{static_cast<int64_t>(bytes * 1000 / link_floor)};
  }

  // rhythm
  duration heartbeat = 500ms;
  duration suspect_after = 1500ms;
  duration down_after = 3s;
  duration catalog_age = 1s;   // an id that nobody was known to hold that lately is absent; zero: all nodes are asked
  duration fresh_for = 3s;     // a node to which no majority has answered for that long is not current
  duration catch_up_for = 60s; // for that long, other nodes answer the reads of a node that is catching up
  duration detour = 30ms;      // how much further clients may be sent when a nearer region is loaded; zero: not at all
  duration hedge_after = 1s;   // a read that a holder has not answered by then asks the next one as well
  duration collect_every = 1s;
  duration sample_every = 200ms; // gateways hand over their access samples

  // anti-entropy
  duration compare_every = 10s;                 // between two rounds of anti-entropy, each with one peer
  uint64_t compare_bytes_per_second = 1u << 20; // what a round may move
  duration reap_after = 60s;                    // tombstones are kept at least that long

  // repair of items with too few durable copies
  duration repair_after = 60s;                  // the copies of a node that is down do not count after that long
  duration repair_scan_every = 1s;              // between two pages of the search that always runs
  uint32_t repair_at_once = 512;                // items
  uint64_t repair_bytes_per_second = 32u << 20; // of values

  // prediction
  bool predict = true;                           // learn from accesses, and make copies ahead of their first read
  double prefetch_confidence = 0.3;              // the least that a copy is made for
  double prefetch_waste = 0.6;                   // the largest share of the copies made ahead that may go unread
  uint64_t prefetch_bytes_per_second = 4u << 20; // on the node's clock
  uint32_t predict_users = 50'000;               // whose histories are kept; those unseen for the longest make room
  uint32_t predict_items = 100'000;              // further items are not learned from
  duration train_every = 30min;                  // by the machine's clock; zero: only when asked
  uint32_t train_accesses = 1'000'000;           // the last ones, kept to train from

  // storage
  std::string store_path;
  uint32_t stores = 1;
  uint64_t store_max_bytes = 0; // of the values held; above it, shadows make room; 0: no bound
  bool detach_blocking = true;  // false in simulation: everything on one thread
  deliberate_fault fault = deliberate_fault::none;
};

} // namespace gnomon
