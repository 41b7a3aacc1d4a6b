#pragma once

#include "gnomon/abi.hpp"
#include "gnomon/error.hpp"
#include "gnomon/later.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace caf {
class actor_system;
class actor_system_config;
} // namespace caf

namespace gnomon::inline GNOMON_ABI {

/// Milliseconds since 1970 UTC by the node's clock; the zero point means "never".
using time_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// One current version of an item. There are several when clients in several regions wrote without seeing each other's
/// writes.
struct item_version {
  std::string value;
  std::string content_type;
  std::string user; // who wrote it; may be empty
  time_point written{};
  time_point expires{};
  uint64_t bytes = 0; // of the whole value, of which a read of a range has a part
};

struct item {
  std::string id;
  std::vector<item_version> versions; // at least one; without values when `unchanged`
  std::string context;                // send it back with a write that replaces what was read
  std::string etag;
  std::string served_by;      // node
  std::string copy = "local"; // or "remote", "prefetched": how the asked node came by it
  bool stale = false;         // the node is cut off and cannot promise that this is current
  bool unchanged = false;     // it still has the ETag of `get_options::if_changed`
  uint64_t offset = 0;        // of the part of the value that was asked for

  /// The value when there is exactly one version. Throws `failure` (precondition_failed) when there are several, or
  /// when the value was not sent because it is `unchanged`.
  std::string value() const;
};

struct get_options {
  std::string user = {};       // on whose behalf; learns what this user reads
  std::string context = {};    // accept nothing older than this
  std::string if_changed = {}; // send no value when the item still has this ETag
  std::string if_match = {};   // only when the item has this ETag, else precondition_failed
  /// A part of the value, when there is exactly one version: "0-99", "100-" from there on, or "-100", the last hundred
  /// bytes. Errors: invalid_argument when it cannot be read, or nothing of the value lies in it.
  std::string range = {};
  /// Nothing is returned only when every region says that it lacks the item. Else it may be because the node has not
  /// heard of the item within the last `membership.catalog_age`. With a context that is always so.
  bool strong = false;
};

/// `put_options::acks`: every durable holder must have the write synced.
inline constexpr uint32_t acks_of_all = UINT32_MAX;

struct put_options {
  std::string user = {};
  std::string content_type = "application/octet-stream";
  std::string context = {};  // of the read that this write replaces; versions that it does not cover stay
  bool replace = false;      // without a context: read first, and replace what is there
  bool if_absent = false;    // only when there is no such item (decided at one region)
  std::string if_match = {}; // only when the item still has this ETag (decided at one region)
  uint32_t acks = 0;         // copies that must have it synced; 0: as the policy says
  time_point expires{};
  std::string request_id = {}; // the same for each sending of one write: it is carried out once. Empty: one is made
};

struct put_receipt {
  std::string id;
  std::string context; // covers the new version and all it replaced
  std::string etag;
  bool created = false; // there was no version before
  uint32_t acks = 0;    // copies that have it synced
  std::string served_by;
  uint32_t versions = 1; // that stood side by side after it, where it was written; more than one: none replaces another
};

struct item_entry {
  std::string id;
  uint64_t bytes = 0;
  std::string content_type;
  std::string role; // of the asked node: "durable", "shadow", ...
  uint32_t versions = 1;
};

struct item_list {
  std::vector<item_entry> items;
  bool more = false; // ask again after the last id
};

/// How many items there are, without deleted ones.
struct item_counts {
  uint64_t here = 0;       // held at the asked node
  uint64_t everywhere = 0; // held anywhere, as the asked node has heard
  bool complete = true;    // it has heard of all that the nodes which it can reach hold
};

/// Reads of an item that your application has answered from a cache of its own.
struct reported_read {
  std::string id;
  std::string user = {};
  uint32_t count = 1;
};

struct copy_plan {
  std::string node;
  std::string region;
  std::string role;
  bool present = false; // was there before
};

struct shadow_creation {
  std::string id;
  uint32_t factor = 0;
  std::vector<copy_plan> copies;
  std::string shortfall; // why there are fewer copies than the factor asks for; empty when there are enough
};

/// One holder's explanation of its copy.
struct copy_status {
  std::string node;
  std::string region;
  std::string role;
  std::string reason; // why it is there: "access", "policy", "prediction", "request"
  double confidence = 1;
  std::string etag;
  time_point created{};
  time_point expires{}; // zero: never
  uint64_t bytes = 0;
  uint64_t reads = 0;
  double demand = 0;                  // reads and writes in its region, of which half are forgotten in a day
  uint64_t cost_bytes = 0;            // moved to make and refresh it
  std::chrono::milliseconds saved{0}; // latency that its reads saved
  double spent_usd = 0;               // by moving, storing and refreshing it so far
  double saved_usd = 0;               // by the moves and the waiting that its reads spared
  std::string why;                    // why it is kept, and how long; a sentence
  bool pinned = false;                // holds a version that is not yet safe elsewhere
  bool reachable = true;              // false: the node did not answer
  bool deleted = false;               // a tombstone
};

struct item_status {
  std::string id;
  uint32_t factor = 0;
  uint32_t min_copies = 0;
  std::string steward; // node
  std::vector<copy_status> copies;
  bool deleted = false; // what is left are tombstones
};

struct coordinates {
  double latitude = 0;  // degrees, -90 to 90
  double longitude = 0; // degrees, -180 to 180
};

struct route_entry {
  std::string node;
  std::string region;
  bool holds = false;
  bool live = true;
  std::optional<double> rtt_ms;      // measured from the asked node
  std::optional<double> distance_km; // great circle from the client
  std::optional<double> expected_ms; // round trip from the client, measured or estimated
  std::string reason;
};

/// `scope` is "type", "user", "item", or "default", which has no name. `text` is a JSON object such as {"factor": 4}.
struct policy_setting {
  std::string scope;
  std::string name;
  std::string text;
};

/// Where a field of the policy in force comes from: `scope` is "item", "user", "type", "default", or "config" when no
/// policy sets it.
struct field_origin {
  std::string field;
  std::string scope;
  std::string name; // of the policy
};

/// The policy in force for an item, after all rules.
struct policy_in_force {
  std::string id;
  std::string user; // for whom: the creator of the item, unless somebody else was named
  std::string text; // all fields, in the JSON of a policy
  std::vector<field_origin> origins;
};

/// A token that lets its bearer ask over HTTP, as nodes know it. The token itself is nowhere but with its owner.
struct token_entry {
  std::string name;
  std::string role;               // "read", "write" or "admin"; each includes those before
  std::vector<std::string> types; // data types of the items that it is for; empty: all
  time_point created{};
  time_point expires{}; // zero: never
};

struct node_status {
  std::string node;
  std::string region;
  std::string address;
  coordinates where;
  std::string state; // "self", "live", "suspect", "down", "unknown"
  std::optional<double> rtt_ms;
  uint64_t items = 0;
  uint64_t shadows = 0;
  uint64_t bytes = 0;
  std::optional<std::chrono::milliseconds> silent; // since it last answered the asked node
  bool fresh = false;                              // it may call its copies current
  bool caught_up = false;                          // the asked node has everything that this one kept for it
};

/// What the asked node does about items with too few copies.
struct repair_status {
  bool active = false;   // a walk that an outage or a removal started is under way
  uint64_t checked = 0;  // records looked at since the start
  uint64_t repaired = 0; // items that got copies
  uint64_t failed = 0;   // attempts that will be repeated
};

struct cluster_status {
  std::string self; // the node that answered
  std::vector<node_status> nodes;
  std::chrono::milliseconds catching_up{0}; // how long it has been catching up; 0: it is not
  repair_status repair;
  std::vector<std::string> removed; // nodes that were removed for good
};

struct removal {
  std::string node;
  uint64_t items = 0; // how many it said to hold when it was last heard
};

/// One item that a user may read next.
struct predicted_read {
  std::string id;
  double confidence = 0;            // that the user reads it next
  double worth_copying = 0;         // that the user reads it within the next ten reads and six hours
  std::vector<std::string> holders; // nodes that have a copy, nearest first
  std::vector<std::string> regions; // that would get one
};

struct user_prediction {
  std::string user;
  std::string served_by;             // the node in whose region the user reads
  uint64_t model = 0;                // version of the trained model; 0: only the counters answer
  std::vector<predicted_read> items; // by confidence, the likeliest first
  uint32_t repeats_left_out = 0;     // guesses that are among the user's last ten reads
};

/// One item for a snapshot.
struct saved_item {
  std::string entry;    // as `gnomon/snapshot.hpp` describes
  bool deleted = false; // a tombstone
};

/// The result of loading an entry of a snapshot.
enum class load_result {
  restored, // no region that can be reached had the item: it began at the asked node
  merged,   // versions were missing and have been restored
  known,    // nothing new: the copy there is as new or newer, or the item was deleted since
  expired,  // all its versions have expired, and nobody has it
};

/// The quality of a user model on reads held back from its training.
struct user_model_quality {
  double recall_20 = 0;          // share of next reads among its first 20 guesses
  double mrr_20 = 0;             // mean of 1 / rank, 0 beyond 20
  double counting_recall_20 = 0; // of the best counting method alone
  uint64_t predictions = 0;
};

/// The quality of a demand model on decisions held back from its training.
struct demand_model_quality {
  double log_loss = 0; // mean negative log-likelihood, in nats
  double calibration_error = 0;
  uint64_t decisions = 0;
  std::string kind;                                // what estimates: "network", "trees" or "formula"
  double network_log_loss = 0, trees_log_loss = 0; // of a new model's two kinds, on other decisions held back
};

/// The state of a training job.
struct training_report {
  uint64_t job = 0;
  std::string state; // "receiving", "training", "adopted", "kept" (the running models stay), "failed"
  uint64_t lines = 0;
  uint64_t accesses = 0; // to learn from
  uint64_t bad_lines = 0;
  uint64_t left_out = 0; // older than the accesses that the node keeps
  uint64_t withheld = 0; // not learned because of a policy or a forgotten user
  uint64_t learned = 0;  // accesses that counters and histories learned from, whatever becomes of the networks
  std::vector<std::pair<uint64_t, std::string>> complaints; // of the first bad lines: number and reason
  double progress = 0;                                      // 0 to 1
  double seconds_left = 0;
  double events_per_second = 0;
  std::optional<user_model_quality> users, running_users; // of the new and the running one, on the same reads
  std::optional<demand_model_quality> demand, running_demand;
  uint64_t model = 0; // version that was put into service
  std::string reason; // why it failed or changed nothing
  bool over() const {
    return state != "receiving" && state != "training";
  }
};

struct client_options {
  std::chrono::milliseconds timeout{15'000};  // of one request, all retries together
  std::chrono::milliseconds patience{10'000}; // how long a request waits for a node that is away, within `timeout`
  size_t max_in_flight = 1024;                // further requests wait for their turn

  // Of a client outside of nodes, which has an actor system of its own:
  size_t threads = 2; // of its scheduler; 0: one for each core
  /// Called with the system's config before it starts: registers your own message types, for instance.
  std::function<void(caf::actor_system_config&)> prepare = {};
};

/// A node on another machine, and the files (PEM) with which the two know each other. `gnomon cert issue NAME --shell`
/// makes the certificate and its key. Both are read at each connect, so renewed ones are used then.
struct remote_node {
  std::string address;               // HOST:PORT, as in the node's cluster.advertise
  std::filesystem::path certificate; // of a shell
  std::filesystem::path key;         // of the certificate; others must not be able to read it
  std::filesystem::path authorities; // one or more that vouch for nodes
};

/// Talks to one node: over its Unix socket, over TLS from another machine, or inside the same process
/// (`node::make_client`).
///
/// Connects at the first request, and again whenever the node comes back. Every request ends within `timeout`.
/// Functions throw `failure`. Each has a form that does not wait, called `_later`: there the answer's `get` throws it,
/// or a function gets it (`then`). A write that was lost on the way is repeated under the same request id, which is
/// safe, unless it has a condition. Give your own `request_id` to repeat a write yourself, also from another program.
/// Copies share one connection. Thread-safe.
///
/// Inside an actor, use the `_later` functions, or the messages of `gnomon/actors.hpp`. Functions that wait throw
/// `failure` (invalid_argument) there: they would hold a thread that other actors need. A detached actor has a thread
/// of its own, and may wait.
class client {
public:
  /// Does not connect yet. Throws only std::bad_alloc.
  explicit client(std::filesystem::path socket, client_options options = {});
  /// Speaks TLS 1.3 with the node's tunnel. The node must have a certificate for its name from one of the authorities.
  /// Whoever has a shell's certificate may do everything in the cluster. Does not connect yet, and reads no file.
  explicit client(remote_node where, client_options options = {});

  /// The item, or nothing when there is none or it was deleted. With `if_changed` it comes without its value when it
  /// still has that ETag.
  std::optional<item> get(const std::string& id, const get_options& options = {});
  later<std::optional<item>> get_later(const std::string& id, const get_options& options = {});

  /// The item as the asked node holds it, and nothing when that has no copy. Does not count as a read: nothing is
  /// learned, and no copy is made or kept for it.
  std::optional<item> held(const std::string& id);
  later<std::optional<item>> held_later(const std::string& id);

  /// Writes. With neither context nor `replace` it adds a version beside the existing ones. Errors: precondition_failed
  /// for `if_absent` and `if_match`; invalid_argument for these two where the last writer wins; too_large over 64 MiB;
  /// not_enough_acks: the write is stored, but by fewer than `acks` copies, and may still reach the others.
  put_receipt put(const std::string& id, std::string value, const put_options& options = {});
  later<put_receipt> put_later(const std::string& id, std::string value, const put_options& options = {});

  /// Deletes what `options.context` covers; without a context, everything there is now. `content_type` is not used.
  /// Errors: not_found; otherwise as `put`.
  put_receipt del(const std::string& id, const put_options& options = {});
  later<put_receipt> del_later(const std::string& id, const put_options& options = {});

  /// Ids held by the asked node, in order of their bytes, greater than `after`. With `deleted` also those of
  /// tombstones.
  item_list list(const std::string& prefix = {}, const std::string& after = {}, uint32_t limit = 1000,
                 bool deleted = false);
  later<item_list> list_later(const std::string& prefix = {}, const std::string& after = {}, uint32_t limit = 1000,
                              bool deleted = false);

  /// Counts items whose ids begin with `prefix`. Those of a data type begin with its name and a slash.
  item_counts count(const std::string& prefix = {});
  later<item_counts> count_later(const std::string& prefix = {});

  /// Makes copies until `factor` regions hold one (0: as the policy says); `ttl` zero: as the policy says.
  shadow_creation create_shadow(const std::string& id, uint32_t factor = 0, std::chrono::seconds ttl = {});
  later<shadow_creation> create_shadow_later(const std::string& id, uint32_t factor = 0, std::chrono::seconds ttl = {});

  /// Drops the copy in `region`, which must be a shadow. Errors: not_found; rejected for a durable copy, which only
  /// policies move; unavailable while something needs the copy. Safe to repeat, and then not_found.
  void drop_shadow(const std::string& id, const std::string& region);
  later<done> drop_shadow_later(const std::string& id, const std::string& region);

  /// Every holder explains its copy. Errors: not_found.
  item_status status(const std::string& id);
  later<item_status> status_later(const std::string& id);

  /// Regions that would serve `id`, best first, seen from `from` or from the asked node.
  std::vector<route_entry> route(const std::string& id, std::optional<coordinates> from = {});
  later<std::vector<route_entry>> route_later(const std::string& id, std::optional<coordinates> from = {});
  /// The same for a client with that IP address. Errors: invalid_argument.
  std::vector<route_entry> route_for(const std::string& id, const std::string& ip);
  later<std::vector<route_entry>> route_for_later(const std::string& id, const std::string& ip);

  /// Policies, in force on every node at once and kept over restarts. Errors: invalid_argument names what is wrong.
  std::vector<policy_setting> policies();
  later<std::vector<policy_setting>> policies_later();
  /// Returns a warning when the policy names regions without a known node; otherwise empty.
  std::string set_policy(const policy_setting& rule);
  later<std::string> set_policy_later(const policy_setting& rule);
  void delete_policy(const std::string& scope, const std::string& name);
  later<done> delete_policy_later(const std::string& scope, const std::string& name);

  /// The policy in force for an item, which need not be there, and where each field comes from. With `user`: as if that
  /// user wrote it.
  policy_in_force effective_policy(const std::string& id, const std::string& user = {});
  later<policy_in_force> effective_policy_later(const std::string& id, const std::string& user = {});

  /// Makes a token, and returns its text: "gnomon_...". Every node knows it at once, by a hash that is made here, and
  /// keeps it over restarts. `created` is not used. Errors: invalid_argument, rejected when the name is taken. Takes
  /// some 50 ms.
  std::string create_token(const token_entry& wish);
  later<std::string> create_token_later(const token_entry& wish);
  /// Those in force, by their ids.
  std::vector<token_entry> tokens();
  later<std::vector<token_entry>> tokens_later();
  /// Ends the token of that name, on every node at once and for good. Errors: not_found.
  void revoke_token(const std::string& name);
  later<done> revoke_token_later(const std::string& name);

  cluster_status cluster();
  later<cluster_status> cluster_later();

  /// Removes a node for good, on every node at once and over restarts. Its name leaves all holders, its store is
  /// refused for ever, and its copies are made again elsewhere. Errors: not_found; precondition_failed when the node is
  /// alive and `force` is not set; invalid_argument for the asked node itself.
  removal remove_node(const std::string& name, bool force = false);
  later<removal> remove_node_later(const std::string& name, bool force = false);

  /// What the user will probably read next, at most 20 items. With `repeats` also items among the last ten reads.
  /// Errors: not_found when the user was never seen, or nothing is learned from the user's reads; unavailable when
  /// prediction is off, or a region that might know the user did not answer.
  user_prediction predict(const std::string& user, uint32_t limit = 20, bool repeats = false);
  later<user_prediction> predict_later(const std::string& user, uint32_t limit = 20, bool repeats = false);

  /// Says that items were read in the asked node's region without its knowledge, from a cache of your application. They
  /// count as demand: predictions learn from them, and copies here live longer. Returns how many reads were passed on.
  /// At most 1,000 entries. Not repeated when the node goes away: they would count twice.
  uint64_t report_reads(const std::vector<reported_read>& reads);
  later<uint64_t> report_reads_later(const std::vector<reported_read>& reads);

  /// Forgets everything that was learned from the user's reads, in all regions. Returns how many regions knew the user.
  /// Errors: unavailable, naming the regions that did not confirm. Safe to repeat.
  uint32_t forget(const std::string& user);
  later<uint32_t> forget_later(const std::string& user);

  /// The asked node's copy of an item: all its versions and their contexts, or its tombstone. Nothing when the node has
  /// no copy.
  later<std::optional<saved_item>> save_later(const std::string& id);
  /// All policies as one entry, deleted ones included.
  std::string save_policies();
  /// Merges an entry of items or policies into the cluster. Never replaces anything newer. Safe to repeat. With
  /// `dry_run` it only says what would happen. Errors: bad_message for a damaged entry, forbidden_region.
  later<load_result> load_later(const std::string& entry, bool dry_run = false);
  /// Has the asked node train its models. `next` writes the next piece of text into its argument, cut anywhere, best
  /// about 100 KB long, and returns false at the end. The text has one JSON object a line, or one array of objects,
  /// each with user_id, data_id, timestamp and optionally region. Blocks until everything is sent; the training goes on
  /// in the background. Errors: overloaded while another upload is under way, invalid_argument when no line is an
  /// access.
  training_report train(const std::function<bool(std::string&)>& next);
  /// Errors: not_found when the asked node does not know the job.
  training_report training(uint64_t job);
  later<training_report> training_later(uint64_t job);
  /// The last jobs of the asked node, the newest first.
  std::vector<training_report> trainings();
  later<std::vector<training_report>> trainings_later();

  /// The actor system where an app may spawn its own actors. Actors that `watch` items must live here. Throws
  /// `failure` (unavailable) after the node of a client inside a node has stopped.
  caf::actor_system& system();

  /// For the library itself: what all copies share.
  class core;
  explicit client(std::shared_ptr<core> shared);
  const std::shared_ptr<core>& shared() const {
    return core_;
  }

private:
  std::shared_ptr<core> core_;
};

} // namespace gnomon::inline GNOMON_ABI
