#pragma once

#include "actors/messages/access_messages.hpp"
#include "actors/messages/cluster_messages.hpp"
#include "actors/messages/inner_messages.hpp"
#include "actors/messages/prediction_messages.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/inspect.hpp"
#include "storage/record.hpp"
#include "storage/versions.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What travels: plain structs, each of which lists its members once. `protocol.hpp` says who understands what.
/// Messages about nodes are in `cluster_messages.hpp`, those between actors of one node in `inner_messages.hpp`.
namespace gnomon {

// -- a client's requests ----------------------------------------------------------------------------------------------

/// When a read wants the value: always, while the item has that ETag, or when it has another one.
enum class read_condition : uint8_t { none, if_match, if_changed };

/// Reads one item. `seen` asks for a copy that is at least that new (session guarantees). Values come only when the
/// condition holds; the asker compares the ETags as well. Of an item with one version, `range` asks for a part of the
/// value (`runtime/base/byte_range.hpp`). `strong`: an item that nobody is known to hold is missing only when every
/// region says so.
struct read_item {
  std::string id;
  std::string user;
  version_vector seen;
  bool without_values = false; // HEAD
  bool forwarded = false;      // another region asks on behalf of its client: answer from here or say not_here
  std::string client = {};     // the address of a client that can be sent elsewhere; empty: it cannot
  read_condition condition = read_condition::none;
  std::string etag = {}; // for the condition
  std::string range = {};
  bool strong = false;
  /// What the asked node knows may be the answer that there is no such item.
  bool takes_absence() const {
    return seen.empty() && !strong && !forwarded;
  }
  auto fields() {
    return std::tie(id, user, seen, without_values, forwarded, client, condition, etag, range, strong);
  }
};

/// How the asked node found the answer.
enum class copy_kind : uint8_t { local, remote, prefetched };
std::string_view name(copy_kind kind); // "local", "remote", "prefetched"

/// All current versions of an item. `values[i]` belongs to `versions.siblings[i]`.
struct item_versions {
  std::string id;
  version_set versions;
  std::vector<blob> values;
  std::string served_by; // node
  copy_kind copy = copy_kind::local;
  bool stale = false;         // the node is cut off and cannot promise that this is current
  std::string elsewhere = {}; // where the client's HTTP finds it, host:port; then nothing else is here
  auto fields() {
    return std::tie(id, versions, values, served_by, copy, stale, elsewhere);
  }
};

enum class write_condition : uint8_t { none, if_match, if_absent };

/// `acks` of a write: a number of durable or pinned copies; 0: as the policy says; `acks_all`: every durable holder.
inline constexpr uint32_t acks_all = UINT32_MAX;

/// Writes or deletes one item. `seen` is the context that the write replaces; versions it does not cover stay as
/// siblings.
struct write_item {
  std::string id;
  std::string user;
  blob value;
  std::string content_type;
  bool deleted = false;
  version_vector seen;
  write_condition condition = write_condition::none;
  std::string etag; // for if_match
  std::string request_id;
  uint32_t acks = 0;
  timestamp expires{};
  bool forwarded = false;
  auto fields() {
    return std::tie(id, user, value, content_type, deleted, seen, condition, etag, request_id, acks, expires,
                    forwarded);
  }
};

struct write_receipt {
  std::string id;
  version_vector context;
  std::string etag;
  bool created = false; // there was no version before
  uint32_t acks = 0;    // holders that have it synced
  std::string served_by;
  uint32_t versions = 1; // that stood side by side after it; 0: it deleted the last one
  auto fields() {
    return std::tie(id, context, etag, created, acks, served_by, versions);
  }
};

struct list_items {
  std::string prefix;
  std::string after; // ids greater than this one
  uint32_t limit = 1000;
  bool deleted = false; // tombstones as well, for a snapshot
  auto fields() {
    return std::tie(prefix, after, limit, deleted);
  }
};

struct item_summary {
  std::string id;
  uint64_t bytes = 0;
  std::string content_type;
  holder_state role = holder_state::durable;
  uint32_t versions = 1;
  auto fields() {
    return std::tie(id, bytes, content_type, role, versions);
  }
};

struct item_page {
  std::vector<item_summary> items;
  bool more = false; // ask again with `after` = the last id
  auto fields() {
    return std::tie(items, more);
  }
};

/// Counts the items whose ids begin with `prefix`, without deleted ones.
struct count_items {
  std::string prefix;
  auto fields() {
    return std::tie(prefix);
  }
};

struct item_count {
  uint64_t here = 0;       // held at the asked node
  uint64_t everywhere = 0; // held anywhere, as the asked node has heard
  bool complete = true;    // it has heard of all that the nodes which it can reach hold
  auto fields() {
    return std::tie(here, everywhere, complete);
  }
};

/// Makes copies of an item until `factor` regions hold one. `ttl` zero: as the policy says.
struct create_shadow {
  std::string id;
  std::string user;    // whose policy applies; empty: only those of item, data type and default
  uint32_t factor = 0; // zero: as the policy says
  duration ttl{};
  lease_reason reason = lease_reason::request;
  auto fields() {
    return std::tie(id, user, factor, ttl, reason);
  }
};

struct planned_copy {
  std::string node;
  std::string region;
  holder_state role = holder_state::shadow;
  bool present = false; // was a holder before
  auto fields() {
    return std::tie(node, region, role, present);
  }
};

struct shadow_plan {
  std::string id;
  uint32_t factor = 0;
  std::vector<planned_copy> copies;
  std::string shortfall; // why there are fewer copies than the factor asks for; empty when there are enough
  auto fields() {
    return std::tie(id, factor, copies, shortfall);
  }
};

/// Drops the copy of an item in one region, when it is a shadow.
struct drop_shadow {
  std::string id;
  std::string region;
  auto fields() {
    return std::tie(id, region);
  }
};

struct shadow_drop {
  std::string id;
  std::string node; // whose copy it was
  auto fields() {
    return std::tie(id, node);
  }
};

struct get_shadow_status {
  std::string id;
  auto fields() {
    return std::tie(id);
  }
};

/// One holder explains its copy.
struct copy_report {
  std::string node;
  std::string region;
  holder_state role = holder_state::left;
  lease_reason reason = lease_reason::access;
  real confidence = 1.0;
  version_vector context;
  std::string etag;
  timestamp created{};
  timestamp expires{}; // timestamp::max(): never
  uint64_t bytes = 0;
  uint64_t reads = 0;
  real demand = 0;         // reads and writes in the copy's region, as `access_count` counts them
  uint64_t cost_bytes = 0; // bytes moved to make and refresh it
  uint64_t saved_ms = 0;   // latency its reads saved
  real spent_usd = 0;      // moving, storing and refreshing it so far
  real saved_usd = 0;      // misses that its reads spared so far
  std::string why;         // the sentence behind its lifetime
  bool pinned = false;
  bool reachable = true; // false: the node did not answer, and the fields are what `holders` says about it
  bool deleted = false;  // a tombstone
  auto fields() {
    return std::tie(node, region, role, reason, confidence, context, etag, created, expires, bytes, reads, demand,
                    cost_bytes, saved_ms, spent_usd, saved_usd, why, pinned, reachable, deleted);
  }
};

struct shadow_report {
  std::string id;
  uint32_t factor = 0;
  uint32_t min_copies = 0;
  std::string steward;
  std::vector<copy_report> copies;
  bool deleted = false; // what is left are tombstones
  auto fields() {
    return std::tie(id, factor, min_copies, steward, copies, deleted);
  }
};

enum class policy_scope : uint8_t { fallback, type, user, item };
std::string_view name(policy_scope scope); // "default", "type", "user", "item"
std::optional<policy_scope> scope_from(std::string_view text);

/// One rule as it travels and is stored. `text` is the policy's JSON, empty when the policy was deleted. The newest
/// stamp wins.
struct policy_entry {
  policy_scope scope = policy_scope::type;
  std::string name;
  std::string text;
  hlc stamp;
  auto fields() {
    return std::tie(scope, name, text, stamp);
  }
};

/// Sets a policy on every node, or deletes it when the text is empty.
struct put_policy {
  policy_scope scope = policy_scope::type;
  std::string name;
  std::string text;
  asker by = {};
  auto fields() {
    return std::tie(scope, name, text, by);
  }
};

struct get_policies {
  auto fields() {
    return std::tie();
  }
};

struct policy_list {
  std::vector<policy_entry> entries;      // without deleted ones when a client asks
  std::vector<removed_node> removed = {}; // empty when a client asks
  std::string warning = {};               // about the policy that was set: it names regions without a known node
  std::vector<token_record> tokens = {};  // for a node that asked for them, never for a client
  auto fields() {
    return std::tie(entries, removed, warning, tokens);
  }
};

/// Asks which policy is in force for an item: for those who write it, or as if `user` did.
struct get_effective_policy {
  std::string id;
  std::string user; // empty: the creator, when there is such an item
  auto fields() {
    return std::tie(id, user);
  }
};

/// Where a field of the policy in force comes from. `scope`: "item", "user", "type", "default", or "config" when no
/// policy sets it.
struct policy_origin {
  std::string field;
  std::string scope;
  std::string name; // of the policy; several users when the regions of each are allowed only
  auto fields() {
    return std::tie(field, scope, name);
  }
};

struct effective_policy {
  std::string id;
  std::string user;
  std::string text; // all fields, in the JSON of a policy; `residency` null: no region is allowed
  std::vector<policy_origin> origins;
  auto fields() {
    return std::tie(id, user, text, origins);
  }
};

// -- between nodes ----------------------------------------------------------------------------------------------------

/// Asks a holder for an item. With `join` the holder first syncs `requester` into `holders`, then sends the value. A
/// deleted item gets no new holders. With `tombstones`, a requester that does not join is told of the delete, for a
/// snapshot. A tombstone that may be out of date is given to every node that asks for values.
struct fetch_item {
  std::string id;
  std::string requester; // node
  bool join = false;
  bool without_values = false;
  bool tombstones = false;
  auto fields() {
    return std::tie(id, requester, join, without_values, tombstones);
  }
};

/// Values that do not fit into one message are left out. The receiver asks for them one by one with `fetch_value`.
struct item_copy {
  std::string id;
  version_set versions;
  std::vector<blob> values;
  holder_map holders;
  std::vector<past_request> requests = {};
  bool stale = false; // the giver may have missed newer versions
  auto fields() {
    return std::tie(id, versions, values, holders, requests, stale);
  }
};

/// Asks a holder for the value of one version, which has `bytes` bytes.
struct fetch_value {
  std::string id;
  dot version;
  uint64_t bytes = 0;
  auto fields() {
    return std::tie(id, version, bytes);
  }
};

struct version_value {
  blob value;
  auto fields() {
    return std::tie(value);
  }
};

/// Puts one item of a snapshot back. Its versions are merged with those of the cluster; its holders are ignored.
struct load_item {
  item_copy copy;
  bool dry_run = false; // only say what would happen
  auto fields() {
    return std::tie(copy, dry_run);
  }
};

enum class load_outcome : uint8_t {
  restored, // no region that can be reached had the item: it begins here
  merged,   // the item was there, and lacked versions that it now has
  known,    // nothing new: the copy there has seen all of it, or the item was deleted since
  expired,  // all its versions have expired, and nobody has it
};

struct load_receipt {
  std::string id;
  load_outcome outcome = load_outcome::known;
  auto fields() {
    return std::tie(id, outcome);
  }
};

/// Merges these versions. `going_to` names the nodes that this update goes to.
struct replicate_item {
  item_copy copy;
  std::string from;
  std::vector<std::string> going_to;
  auto fields() {
    return std::tie(copy, from, going_to);
  }
};

struct replicate_ack {
  version_vector context; // synced at the receiver
  holder_map holders;
  bool counts = false; // the receiver is durable or pinned
  auto fields() {
    return std::tie(context, holders, counts);
  }
};

/// The receiver becomes a holder of `id`: it fetches the item from `giver`, as `state`. A refusal is an answer, not an
/// error.
struct invite_copy {
  std::string id;
  std::string giver;
  holder_state state = holder_state::shadow;
  struct lease lease;
  uint64_t bytes = 0; // of the values that it will fetch; zero: unknown
  auto fields() {
    return std::tie(id, giver, state, lease, bytes);
  }
};

/// News about who holds `id`, and what `from` has synced. The receiver merges it when it holds the item.
struct update_holders {
  std::string id;
  std::string from;
  holder_map holders;
  version_vector context;
  bool counts = false;    // `from` is durable or pinned
  bool refused = false;   // the receiver could not take what `context` covers
  bool forbidden = false; // a rule keeps the item away from the receiver
  auto fields() {
    return std::tie(id, from, holders, context, counts, refused, forbidden);
  }
};

struct holders_ack {
  holder_map holders; // empty when the receiver holds no copy
  bool holds = false;
  version_vector context; // synced at the receiver
  bool counts = false;    // the receiver is durable or pinned
  auto fields() {
    return std::tie(holders, holds, context, counts);
  }
};

struct invite_answer {
  bool accepted = false;
  std::string reason;   // when refused
  holders_ack standing; // of the copy, when accepted: saves the giver a further message
  auto fields() {
    return std::tie(accepted, reason, standing);
  }
};

struct get_copy_report {
  std::string id;
  auto fields() {
    return std::tie(id);
  }
};

/// The policies and tokens of a node, and the nodes that it knows to be removed. The answer has those that are newer
/// here. When the sender has sent all that it has, the answer also has those that it lacks.
struct exchange_policies {
  std::vector<policy_entry> entries;
  std::vector<removed_node> removed = {};
  bool tell_peers = false; // they come from a snapshot: the other nodes do not know them either
  bool all = false;
  std::vector<token_record> tokens = {};
  bool with_tokens = false; // the answer has tokens too: a node asks, with all that it has
  auto fields() {
    return std::tie(entries, removed, tell_peers, all, tokens, with_tokens);
  }
};

} // namespace gnomon
