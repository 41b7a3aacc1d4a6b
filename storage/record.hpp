#pragma once

#include "runtime/base/inspect.hpp"
#include "storage/versions.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gnomon {

/// The state of a node as a holder of an item. Within one epoch a state only moves forward in this order.
enum class holder_state : uint8_t { joining, shadow, durable, left };
std::string_view name(holder_state s);

/// One node's entry in `holders`. Each change back (a rejoin, a promotion, a demotion) starts a new epoch.
struct holder_entry {
  uint32_t epoch = 0;
  holder_state state = holder_state::joining;
  auto fields() {
    return std::tie(epoch, state);
  }
  auto operator<=>(const holder_entry&) const = default; // epoch first, then state: merging takes the greater entry
};

/// `nodes` in rendezvous order of `id` (highest random weight first; Thaler and Ravishankar 1998): the same everywhere.
std::vector<std::string> by_rank(std::vector<std::string> nodes, std::string_view id);

/// The nodes that have, are getting or had a copy, by name. This map decides about replication, deletes and reaping.
/// Merging takes the greater entry for each node, so order and repetition do not matter.
class holder_map {
public:
  /// Greatest entry wins. Returns true when anything changed.
  bool merge(const holder_map& other);
  bool merge(const std::string& node, holder_entry entry);
  /// Starts a new epoch for `node` in `state`.
  holder_entry begin_epoch(const std::string& node, holder_state state);
  const holder_entry* find(const std::string& node) const;
  /// The entry's state; `left` for nodes never heard of.
  holder_state state_of(const std::string& node) const;
  /// Names of all nodes whose state is not `left`.
  std::vector<std::string> current() const;
  std::vector<std::string> durable() const;
  /// Durable holders in rendezvous order of `id`; the first is the item's steward.
  std::vector<std::string> durable_by_rank(std::string_view id) const;
  const std::map<std::string, holder_entry>& entries() const {
    return entries_;
  }
  bool operator==(const holder_map&) const = default;

  auto fields() {
    return std::tie(entries_);
  }

private:
  std::map<std::string, holder_entry> entries_;
};

enum class lease_reason : uint8_t { access, policy, prediction, request };
std::string_view name(lease_reason r);

/// A shadow's right to exist. Durable copies have none; `ttl` zero means that it never ends.
struct lease {
  lease_reason reason = lease_reason::access;
  real confidence = 1.0; // of the prediction that made it; 1 for the other reasons
  timestamp created{};
  timestamp last_read{};
  duration ttl{}; // slides: the end is last_read + ttl
  timestamp expiry() const {
    return ttl.count() == 0 ? timestamp::max() : last_read + ttl;
  }
  auto fields() {
    return std::tie(reason, confidence, created, last_read, ttl);
  }
};

/// A write that carried a request id, and whose version has been replaced since. A repeat of it does nothing. Versions
/// that are still there carry their request ids themselves.
struct past_request {
  std::string id; // of the request
  dot made;
  timestamp at{}; // of the version's stamp
  auto fields() {
    return std::tie(id, made, at);
  }
  bool operator==(const past_request&) const = default;
};

/// How much an item is wanted at a copy: the reads and writes there, of which half are forgotten in a day.
struct access_count {
  static constexpr duration half_life = std::chrono::hours{24};
  real count = 0;
  timestamp since{}; // the count is as of then
  void add(uint64_t accesses, timestamp now);
  double at(timestamp now) const;
  auto fields() {
    return std::tie(count, since);
  }
};

/// How many of them are kept for an item, and for how long.
inline constexpr size_t max_past_requests = 16;
inline constexpr duration request_memory = std::chrono::minutes{10};

/// Everything that a node keeps of one item, except the values.
struct item_record {
  std::string id;
  version_set versions;
  holder_map holders;
  struct lease lease;
  holding_id holding;                      // drawn at the first local write; zero before
  timestamp indexed{};                     // the time under which the expiry index names this record; zero: none
  bool pinned = false;                     // has a version not yet synced at min_copies durable holders: never expires
  std::set<std::string> owed;              // nodes that may lack versions which this copy has to send them
  uint64_t reads = 0;                      // reads served from this copy
  uint64_t cost_bytes = 0;                 // bytes moved to make and refresh this copy
  uint64_t saved_ms = 0;                   // latency that local reads saved so far
  std::vector<past_request> requests = {}; // the newest, oldest first
  access_count wanted = {};                // here
  auto fields() {
    return std::tie(id, versions, holders, lease, holding, indexed, pinned, owed, reads, cost_bytes, saved_ms, requests,
                    wanted);
  }
};

/// Encodes with a format number and a checksum (Boost.Serialization inside).
std::string encode(const item_record& record);
/// Also reads the format before this one. Errors: store_corrupt for a wrong checksum, a truncated record or an unknown
/// format number.
expected<item_record> decode_record(std::string_view bytes);

/// A version's value after eight bytes of format number and checksum.
std::string encode_value(std::string_view value);
/// Errors: store_corrupt, as above.
expected<blob> decode_value(std::string_view bytes);

} // namespace gnomon
