#pragma once

#include "actors/messages/access_messages.hpp"
#include "runtime/base/inspect.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What travels about the nodes of a cluster and between their links; `messages.hpp` includes it.
namespace gnomon {

// -- a client's requests ----------------------------------------------------------------------------------------------

/// The store of a node that an operator removed for good. It is refused for ever; another store may use the same name
/// later.
struct removed_node {
  std::string node;
  uint64_t incarnation = 0;
  auto operator<=>(const removed_node&) const = default;
  auto fields() {
    return std::tie(node, incarnation);
  }
};

/// Asks which regions would serve `id`, best first: for a client at an address or at a place, or in this node's region.
struct get_route {
  std::string id;
  bool has_place = false;
  real latitude;
  real longitude;
  std::string ip = {}; // empty: no address
  auto fields() {
    return std::tie(id, has_place, latitude, longitude, ip);
  }
};

struct route_choice {
  std::string node;
  std::string region;
  bool holds = false;
  bool live = true;
  real rtt_ms = -1;      // measured from the asked node; -1: not known
  real distance_km = -1; // great circle from the client; -1: its place is not known
  real expected_ms = -1; // round trip from the client, measured or estimated; -1: nothing is known
  std::string reason;
  auto fields() {
    return std::tie(node, region, holds, live, rtt_ms, distance_km, expected_ms, reason);
  }
};

struct route_list {
  std::vector<route_choice> choices;
  std::string client; // where the client is, and how that is known
  auto fields() {
    return std::tie(choices, client);
  }
};

struct get_cluster {
  auto fields() {
    return std::tie();
  }
};

enum class peer_state : uint8_t { unknown, live, suspect, down };
std::string_view name(peer_state state);

struct node_report {
  std::string node;
  std::string region;
  std::string address;
  uint64_t incarnation = 0;
  real latitude;
  real longitude;
  peer_state state = peer_state::unknown;
  real rtt_ms = -1; // smoothed, measured from the asked node
  uint64_t items = 0;
  uint64_t shadows = 0;
  uint64_t bytes = 0;
  uint64_t tombstones = 0; // deleted items that are not reaped yet
  int64_t silent_ms = 0;   // time since it last answered the asked node; -1: it never did
  bool fresh = false;      // it may call its copies current
  bool caught_up = false;  // the asked node has everything that this one kept for it
  auto fields() {
    return std::tie(node, region, address, incarnation, latitude, longitude, state, rtt_ms, items, shadows, bytes,
                    tombstones, silent_ms, fresh, caught_up);
  }
};

/// What the asked node does about items with too few copies.
struct repair_report {
  bool active = false;   // a walk that an outage or a removal started is under way
  uint64_t checked = 0;  // records looked at since the start
  uint64_t repaired = 0; // items that got copies
  uint64_t failed = 0;   // attempts that will be repeated
  uint64_t under_way = 0;
  auto fields() {
    return std::tie(active, checked, repaired, failed, under_way);
  }
};

struct cluster_report {
  std::string self;
  std::vector<node_report> nodes;
  int64_t catching_up_ms = 0; // how long it has been catching up; 0: it is not
  repair_report repair = {};
  std::vector<removed_node> removed = {}; // for good
  auto fields() {
    return std::tie(self, nodes, catching_up_ms, repair, removed);
  }
};

/// Removes a node for good: its name leaves all holders, its store is refused for ever, its copies are made again.
/// `force` also removes a node that is alive.
struct remove_node {
  std::string node;
  bool force = false;
  asker by = {};
  auto fields() {
    return std::tie(node, force, by);
  }
};

struct node_removal {
  std::string node;
  uint64_t incarnation = 0;
  uint64_t items = 0; // how many it said to hold when it was last heard
  auto fields() {
    return std::tie(node, incarnation, items);
  }
};

/// A program (shell, embedded client) introduces itself to the gate, on the node's Unix socket or through its tunnel.
struct hello_client {
  std::string program;
  uint32_t protocol = 1;
  auto fields() {
    return std::tie(program, protocol);
  }
};

// -- between nodes ----------------------------------------------------------------------------------------------------

/// Urgency on a link; lower values go first.
enum class traffic : uint8_t { client, repair, prefetch };

/// Asks for the changes of the asked node's slice `shard` after change number `since` of `generation`.
struct pull_catalog {
  uint32_t shard = 0;
  uint64_t generation = 0;
  uint64_t since = 0;
  std::string after; // continues a whole slice behind this id
  auto fields() {
    return std::tie(shard, generation, since, after);
  }
};

/// One line of a node's catalog: it holds `id`, or no longer does. `deleted`: what it holds is a tombstone. The copy
/// does not end by itself before `until`, in seconds since 1970; 0: no lease ends it, and no version expires.
struct catalog_row {
  std::string id;
  bool holds = true;
  bool deleted = false;
  uint32_t until = 0;
  auto fields() {
    return std::tie(id, holds, deleted, until);
  }
  bool operator==(const catalog_row&) const = default;
};

/// How far the slice `shard` of `node` is. `news`: some of the rows that the last changes made.
struct catalog_position {
  std::string node;
  uint32_t shard = 0;
  uint64_t generation = 0;
  uint64_t head = 0;
  std::vector<catalog_row> news = {};
  auto fields() {
    return std::tie(node, shard, generation, head, news);
  }
};

/// Who a node is. `incarnation` belongs to its store. It distinguishes a restarted node from another one with the same
/// name.
struct node_identity {
  std::string cluster;
  std::string node;
  std::string region;
  std::string address; // host:port of its tunnel
  uint64_t incarnation = 0;
  uint64_t start = 0; // random for each start of the process
  real latitude;
  real longitude;
  std::vector<std::string> http = {}; // host:port, where clients reach its HTTP; IP addresses only
  auto fields() {
    return std::tie(cluster, node, region, address, incarnation, start, latitude, longitude, http);
  }
};

inline constexpr size_t most_news = 16;

/// Sent at every heartbeat: who I am, whom I know, how far my catalog is, what I carry.
struct ping {
  node_identity from;
  std::vector<node_identity> known;
  std::vector<real> round_trips; // from the sender to each of these, in ms; -1: not measured
  uint64_t catalog_generation = 0;
  std::vector<uint64_t> catalog_heads; // by shard
  uint64_t items = 0;
  uint64_t shadows = 0;
  uint64_t bytes = 0;
  uint64_t tombstones = 0;
  bool fresh = false; // the sender may call its copies current
  real load;          // of the sender, from 0 to 1 (`background_pace::load`)
  // What the sender owes the receiver. Updates are numbered as they begin. Those below `updates_settled` have been
  // answered or have left a hint. `hints` says that hints may be waiting.
  uint64_t updates_begun = 0;
  uint64_t updates_settled = 0;
  bool hints = true;
  std::vector<catalog_row> news = {}; // items that began here since the last heartbeat, at most `most_news`
  auto fields() {
    return std::tie(from, known, round_trips, catalog_generation, catalog_heads, items, shadows, bytes, tombstones,
                    fresh, load, updates_begun, updates_settled, hints, news);
  }
};

/// The same facts about the node that answers.
struct pong {
  ping facts;
  auto fields() {
    return std::tie(facts);
  }
};

/// How a node receives another one that calls at its tunnel.
enum class reception : uint8_t {
  welcome,   // the connection stays
  call_back, // only the node with the smaller name dials: the called node will dial back
  refused,   // permanently: another cluster, a second node of a region, a name that is taken
  busy,      // too many connections, or still starting: try again
  removed,   // permanently: an operator removed the caller's store from the cluster
};

/// The called node's answer to a caller's identity. `sentence` says why when it is not a welcome.
struct greeting {
  reception verdict = reception::busy;
  std::string sentence;
  node_identity from;
  auto fields() {
    return std::tie(verdict, sentence, from);
  }
};

/// A batch of chunks of requests and replies, as `actors/cluster/parcels.hpp` packs them.
struct frame {
  uint64_t session = 0;
  std::string bytes;
  auto fields() {
    return std::tie(session, bytes);
  }
};

/// The receiver has taken in that much, and can take as much again.
struct credit {
  uint64_t session = 0;
  uint64_t bytes = 0;
  uint32_t frames = 0;
  auto fields() {
    return std::tie(session, bytes, frames);
  }
};

/// The sender of this no longer knows that session.
struct session_over {
  uint64_t session = 0;
  auto fields() {
    return std::tie(session);
  }
};

/// Changes of one node's slice of the ids, or a page of the whole slice.
struct catalog_delta {
  uint32_t shard = 0;
  uint64_t generation = 0; // of the log the change numbers belong to: new after each start
  uint64_t head = 0;       // change number these rows lead to
  bool whole = false;      // the first page replaces what was known
  bool more = false;       // of a whole slice: go on after the last id
  std::vector<catalog_row> rows;
  auto fields() {
    return std::tie(shard, generation, head, whole, more, rows);
  }
};

/// How far a node's catalog was when the node stopped. The next start goes on from there, so peers need not pull again
/// what they have.
struct catalog_memory {
  uint64_t incarnation = 0; // of the store that it describes
  uint64_t generation = 0;
  std::vector<uint64_t> heads, digests; // by shard
  auto fields() {
    return std::tie(incarnation, generation, heads, digests);
  }
};

} // namespace gnomon
