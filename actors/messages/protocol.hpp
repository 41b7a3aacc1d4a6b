#pragma once

#include "actors/messages/exchanges.hpp"
#include "actors/messages/type_ids.hpp"
#include "runtime/base/error.hpp"

#include <caf/actor_system_config.hpp>

/// Who understands what: every typed actor interface of a node. `docs/protocol.md` has the same as a table.
/// Errors are `gnomon::ec`. Comments say "safe to repeat" where it matters.

namespace gnomon {

/// Registers all messages and our errors. Every actor system that speaks this protocol calls it on its config.
void register_messages(caf::actor_system_config& config);

/// Owns one LevelDB. Callers: shards, shadows, region, collector. Calls nobody. Blocking, so detached outside tests.
using store_actor = caf::typed_actor<
    // Applies the batch; answered once synced. Batches that wait are synced together. Errors: store_failed.
    caf::replies_to<store_batch>::with<store_receipt>,
    // Answers the values under the keys. Safe to repeat.
    caf::replies_to<store_get>::with<store_values>,
    // Answers a range of entries in key order. Safe to repeat.
    caf::replies_to<store_scan>::with<store_entries>,
    // From itself: sync the batches that wait; check whether the disk takes writes.
    caf::reacts_to<tick_a>, caf::reacts_to<flush_a>>;

/// What can be asked about one item: its shard gets the request and hands it to the item's shadow.
using item_service_actor = caf::typed_actor<
    // Answers the current versions; fetches them from the nearest holder when there is no copy here. Safe to repeat.
    caf::replies_to<read_item>::with<item_versions>,
    // Applies a client's write; answered once synced by `acks` holders. Safe to repeat with a request id.
    caf::replies_to<write_item>::with<write_receipt>,
    // Invites holders until there are enough, and answers what is planned. Errors: not_found.
    caf::replies_to<place_copies>::with<shadow_plan>,
    // Another node wants the item. Errors: not_here, gone, forbidden_region. Safe to repeat.
    caf::replies_to<fetch_item>::with<item_copy>,
    // Another node lacks a value that did not fit into `item_copy`. Errors: not_here. Safe to repeat.
    caf::replies_to<fetch_value>::with<version_value>,
    // Merges versions from another region, acknowledged once synced. Errors: not_here without a record. Safe to repeat.
    caf::replies_to<replicate_item>::with<replicate_ack>,
    // Becomes a holder, or says why not. Safe to repeat.
    caf::replies_to<invite_copy>::with<invite_answer>,
    // Merges news about holders. Safe to repeat.
    caf::replies_to<update_holders>::with<holders_ack>,
    // Explains the local copy. Errors: not_here.
    caf::replies_to<get_copy_report>::with<copy_report>,
    // The steward reaps a tombstone or demotes a copy. The receiver does it only when it is safe. Safe to repeat.
    caf::replies_to<steward_order>::with<steward_answer>,
    // Merges an item of a snapshot into the copy here; without one, into the copy of another region. Answered once
    // synced. Errors: forbidden_region, bad_message. Safe to repeat.
    caf::replies_to<load_item>::with<load_receipt>>;

/// Keeps one item's copy in this region. Owns: the item's siblings, holders, lease and fetches under way.
/// Callers: its shard. Calls: the store (writes), links of the other holders (updates), its shard (who holds this?).
using shadow_actor = item_service_actor::extend<
    // The read index answered reads of this item.
    caf::reacts_to<access_batch>,
    // Checks whether the lease or a version has ended. `expiry_due`: because the expiry index says so; an index entry
    // that the record does not know of is erased.
    caf::reacts_to<expire_a>, caf::reacts_to<expiry_due>,
    // A hint says that the named node lacks the current versions: send them.
    caf::reacts_to<refresh_a, std::string>,
    // The catalog says that the named node holds the item: exchange holders when ours do not name it.
    caf::reacts_to<meet_a, std::string>,
    // The trees differ at this item: exchange holders and versions with the named node.
    caf::reacts_to<compare_a, std::string>,
    // Reap the tombstone if all holders have it; or demote or dismiss a surplus copy.
    caf::reacts_to<reap_a>,
    // The named node may have lost its copy: ask it.
    caf::reacts_to<verify_a, std::string>,
    // From itself: a write may have waited too long for its acks; the search with that number may ask one more holder.
    caf::reacts_to<deadline_a>, caf::reacts_to<deadline_a, uint64_t>, caf::reacts_to<hedge_a, uint64_t>,
    // From its shard: stop if you are idle. True when it stops now, false when it has work under way.
    caf::replies_to<tick_a>::with<bool>>;

/// Owns a slice of the ids. Owns: the registry of its shadows (as their supervisor), its slice of the catalog.
/// Callers: region, router, agent, collector, its shadows. Calls: its shadows, links (catalog pulls).
using shard_actor = item_service_actor::extend<
    // Answers the nodes believed to hold the id: this one first, then nearest first, unreachable ones last. Also
    // whether all peers that can be reached have said what they hold of the slice.
    caf::replies_to<locate_a, std::string>::with<std::vector<std::string>, bool>,
    // A peer asks for our slice.
    caf::replies_to<pull_catalog>::with<catalog_delta>,
    // A peer's heartbeat says how far its slice is: pulls what is missing.
    caf::reacts_to<catalog_position>,
    // What the store holds, read at the start: pages, then the message that makes the shard ready.
    caf::reacts_to<found_copies>, caf::reacts_to<catalog_delta>,
    // From a damaged store: wakes the shadows of the items there, which find out what is lost.
    caf::reacts_to<lost_ids>,
    // A shadow says that this node now holds its item, or no longer does.
    caf::reacts_to<catalog_row>, caf::reacts_to<access_batch>,
    // Nodes were removed: their rows go.
    caf::reacts_to<rules_a>,
    // The copy may have to leave, because of a rule or its lease: wakes its shadow.
    caf::reacts_to<expire_a, std::string>, caf::reacts_to<expiry_due>,
    caf::reacts_to<refresh_a, std::string, std::string>,                                     // id, node
    caf::reacts_to<compare_a, std::string, std::string>,                                     // id, node
    caf::reacts_to<reap_a, std::string>, caf::reacts_to<verify_a, std::string, std::string>, // id, node
    // Ids held here, for anti-entropy. Safe to repeat.
    caf::replies_to<list_held>::with<held_ids>,
    // Of its slice. Errors: unavailable while the store is read. Safe to repeat.
    caf::replies_to<count_items>::with<item_count>,
    // From itself: decide which shadows may be awake next, and which can sleep.
    caf::reacts_to<flush_a>, caf::reacts_to<tick_a>>;

/// Compares what this node and its peers hold, one peer after the other. Where it differs, shadows exchange versions.
/// Owns: the hash trees towards all peers. Callers: region, shards, shadows (what is held here), peers' anti-entropy.
/// Calls: links (questions), shards, stores.
using anti_entropy_actor = caf::typed_actor<
    // The state of some copies: from each shadow once it is synced, and from the shards at the start.
    caf::reacts_to<copy_notes>,
    // From a shard: the shadow of this item died, and it is unknown what it had synced last.
    caf::reacts_to<doubt_a, std::string>,
    // A peer compares its tree with ours. Errors: unavailable at the start. Safe to repeat.
    caf::replies_to<compare_trees>::with<tree_difference>, caf::replies_to<compare_leaves>::with<leaf_difference>,
    // From a shard: a peer's whole slice was taken over. Items in it may have begun here as well.
    caf::reacts_to<catalog_position>,
    // From a shard: the catalog says that this peer holds these items of ours as well. Items whose records do not name
    // the peer exchange holders with it.
    caf::reacts_to<meet_a, std::string, held_ids>,
    // The peer is back: compare with it as soon as possible.
    caf::reacts_to<compare_a, std::string>,
    // From itself: the next step of the round with that number.
    caf::reacts_to<compare_a, uint64_t>, caf::reacts_to<tick_a>>;

/// What one region answers another. The receiving link hands everything to the region actor, which finds the shard.
using peer_service_actor = caf::typed_actor<
    // As in `shadow_actor`.
    caf::replies_to<fetch_item>::with<item_copy>, caf::replies_to<fetch_value>::with<version_value>,
    caf::replies_to<replicate_item>::with<replicate_ack>, caf::replies_to<invite_copy>::with<invite_answer>,
    caf::replies_to<update_holders>::with<holders_ack>, caf::replies_to<get_copy_report>::with<copy_report>,
    // Forwarded for a client of a region that may not keep the item. Errors: not_here.
    caf::replies_to<read_item>::with<item_versions>, caf::replies_to<write_item>::with<write_receipt>,
    caf::replies_to<create_shadow>::with<shadow_plan>, caf::replies_to<steward_order>::with<steward_answer>,
    // As in `anti_entropy_actor`.
    caf::replies_to<compare_trees>::with<tree_difference>, caf::replies_to<compare_leaves>::with<leaf_difference>,
    // As in `shard_actor`.
    caf::replies_to<pull_catalog>::with<catalog_delta>,
    // Merges the sender's policies, tokens and removed nodes; answers what is new to the sender. Safe to repeat.
    caf::replies_to<exchange_policies>::with<policy_list>,
    // As in `predictor_actor`. Errors: unavailable when this node does not predict.
    caf::replies_to<region_accesses>::with<accesses_ack>, caf::replies_to<get_prediction>::with<prediction>,
    caf::replies_to<forget_user>::with<forget_receipt>,
    // An actor that the program around this node has published. Errors: not_found. Safe to repeat.
    caf::replies_to<find_actor>::with<found_actor>,
    // A message for it. Errors: gone when it has ended, bad_message. As safe to repeat as the message.
    caf::replies_to<actor_message>::with<actor_reply>,
    // As in `feed_actor`.
    caf::replies_to<pull_steps>::with<step_page>, caf::replies_to<list_states>::with<state_page>>;

/// The regional coordinator. Owns: the catalog pulls, the policies. Supervises its 64 shards.
/// Callers: links (what peers ask), router (policies), membership (what pings say). Calls: shards, links, store.
using region_actor = peer_service_actor::extend<
    // Sets or deletes a policy here, answers once it is synced, and tells the peers. Errors: invalid_argument.
    caf::replies_to<put_policy>::with<policy_list>, caf::replies_to<get_policies>::with<policy_list>,
    // Takes a node out for good, answers once that is synced, and tells the peers. Errors: not_found,
    // precondition_failed for a live node without `force`, invalid_argument for this node itself. Safe to repeat.
    caf::replies_to<remove_node>::with<node_removal>,
    // Makes a token known, or ends those of a name, here and at the peers; answered once that is synced. Errors:
    // invalid_argument, rejected for a name that is taken, not_found.
    caf::replies_to<put_token>::with<token_list>, caf::replies_to<revoke_token>::with<token_list>,
    caf::replies_to<get_tokens>::with<token_list>,
    // A peer's heartbeat: says how far its catalog is, and that the peer can take what it missed.
    caf::reacts_to<ping>,
    // From itself: try again to read a store that could not be read.
    caf::reacts_to<tick_a>>;

/// The shadowing agent: watches access patterns. Callers: gateways (reads answered from the read index), router (all
/// other reads, and writes). Calls: shards, predictor.
using agent_actor = caf::typed_actor<caf::reacts_to<access_batch>>;

/// Keeps what was learned in a file, in the background. Callers: predictor, which spawns it and gives it memory for
/// what it reads.
using state_file_actor = caf::typed_actor<
    // Reads the file into that memory; answers its size, 0 when there is none. Errors: bad_message, store_failed.
    caf::replies_to<open_a>::with<uint64_t>,
    // Writes a piece of a new file. The last piece puts it in place of the old one. Errors: store_failed.
    caf::replies_to<state_piece>::with<uint64_t>,
    // Removes the file. Errors: store_failed. Safe to repeat.
    caf::replies_to<reap_a>::with<uint64_t>>;

/// Learns from accesses what users and regions read next. Owns: the user model, the demand model, the file that keeps
/// what was learned. Callers: agent and router (accesses), region (what peers saw and ask), router, `training`.
/// Calls: prefetcher, trainer, shards (who holds this?), links.
using predictor_actor = caf::typed_actor<
    // Learns from accesses in this region, predicts for those who made them, passes the accesses on to the prefetcher.
    caf::reacts_to<access_batch>,
    // Learns from reads in another region. Not safe to repeat: it counts.
    caf::replies_to<region_accesses>::with<accesses_ack>,
    // Errors: not_found when this region does not know the user. Safe to repeat.
    caf::replies_to<get_prediction>::with<prediction>,
    // Removes a user from this region's models; answered also when the user was not known. Safe to repeat.
    caf::replies_to<forget_user>::with<forget_receipt>,
    // Learns from reads of an upload. Errors: unavailable while the file is read. Not safe to repeat: it counts.
    caf::replies_to<past_accesses>::with<past_receipt>,
    // From itself: go on with the accesses that wait.
    caf::reacts_to<flush_a>,
    // From itself: tell the other regions what was read here.
    caf::reacts_to<tick_a>>;

/// Has models trained on uploads and on what the cluster reads, and puts better ones into service. Owns: the
/// last accesses, the jobs, the versions in the store. Callers: router, predictor (accesses), its `training` actor.
/// Calls: `training`, store, router (the models of other regions), shards (who holds this?).
using trainer_actor = caf::typed_actor<
    // A piece of an upload. Errors: overloaded while another upload is under way, not_found for an unknown upload,
    // precondition_failed when a piece is missing, invalid_argument when no line was an access. Safe to repeat.
    caf::replies_to<train_piece>::with<training_status>,
    // Errors: not_found. Safe to repeat.
    caf::replies_to<get_training>::with<training_status>,
    // The jobs that it remembers. Safe to repeat.
    caf::replies_to<list_trainings>::with<training_list>,
    // What was read here and elsewhere. The predictor has removed what policies exclude from learning.
    caf::reacts_to<access_batch>, caf::reacts_to<region_accesses>, caf::reacts_to<forget_user>,
    // From `training`: it is over. From itself: check what there is to do.
    caf::reacts_to<tick_a>, caf::reacts_to<refresh_a>>;

/// Does the work of one training, then ends. Spawned by the trainer. Blocks, so detached outside tests.
using training_actor = caf::typed_actor<
    // As in `trainer_actor`.
    caf::replies_to<train_piece>::with<training_status>,
    // Everything has arrived: begin.
    caf::reacts_to<tick_a>,
    // From itself: hand the next reads of the upload to the predictor.
    caf::reacts_to<flush_a>>;

/// Makes copies ahead of their first read, within a budget. Owns: the list of copies it made, until their leases
/// end. Callers: predictor. Calls: shards (who holds this? become a holder; explain the copy).
using prefetcher_actor = caf::typed_actor<caf::reacts_to<prefetch_wishes>,
                                          // What was read: some items had been copied ahead.
                                          caf::reacts_to<access_batch>, caf::reacts_to<tick_a>>;

/// Walks the expiry index and tells shards what is due, and which shadows make room when the node is full. Callers: its
/// own timers. Calls: stores, shards.
using collector_actor = caf::typed_actor<caf::reacts_to<tick_a>, caf::reacts_to<room_a>>;

/// Looks for items with too few durable copies among the reachable nodes, and for copies that a rule forbids here.
/// Fast after an outage, a removal or a new rule, otherwise slowly. Callers: its own timer, region (rules).
/// Calls: stores, shards.
using repair_actor = caf::typed_actor<
    // Rules about residency changed.
    caf::reacts_to<rules_a>, caf::reacts_to<tick_a>>;

/// Tells those who follow items of every change in the cluster, and of the cluster itself. Owns: the last steps of the
/// copies here that somebody follows, and the last changes that were told. Callers: shadows and shards (steps), router
/// (its followers), region (the feeds of other nodes). Calls: links, stores, router (values).
using feed_actor = caf::typed_actor<
    // What happened to a copy here.
    caf::reacts_to<item_step>,
    // Answers when there are steps, or after a while. Safe to repeat.
    caf::replies_to<pull_steps>::with<step_page>,
    // Answers what this node holds. Safe to repeat.
    caf::replies_to<list_states>::with<state_page>,
    // Answers when something has changed, or after a while. Errors: invalid_argument for a bad position, overloaded.
    // Safe to repeat.
    caf::replies_to<follow_changes>::with<change_page>,
    // From itself: look at the cluster, and at who has waited for long enough.
    caf::reacts_to<tick_a>>;

/// Measures how late the node is, for the pace of the background. Callers: its own timer. Calls: stores, region.
using pulse_actor = caf::typed_actor<caf::reacts_to<tick_a>>;

/// The node's entry for every client request, from HTTP, the shell or an embedding program.
/// Calls: shards, region, agent, links. All of it safe to repeat except writes without a request id.
using router_actor =
    caf::typed_actor<caf::replies_to<read_item>::with<item_versions>, caf::replies_to<write_item>::with<write_receipt>,
                     caf::replies_to<list_items>::with<item_page>, caf::replies_to<create_shadow>::with<shadow_plan>,
                     // Asks every holder to explain its copy. Errors: not_found.
                     caf::replies_to<get_shadow_status>::with<shadow_report>,
                     caf::replies_to<put_policy>::with<policy_list>, caf::replies_to<get_policies>::with<policy_list>,
                     // For snapshots: the copy of this node, tombstones as well. Errors: not_here, store_corrupt.
                     caf::replies_to<fetch_item>::with<item_copy>,
                     // As in `item_service_actor`.
                     caf::replies_to<load_item>::with<load_receipt>,
                     // Merges policies of a snapshot here and at the peers. Without any, answers all, also deleted
                     // ones.
                     caf::replies_to<exchange_policies>::with<policy_list>,
                     caf::replies_to<get_route>::with<route_list>, caf::replies_to<get_cluster>::with<cluster_report>,
                     caf::replies_to<remove_node>::with<node_removal>, // as in `region_actor`
                     caf::reacts_to<deadline_a, uint64_t>,             // from itself: the read may ask one more region
                     // Asks this region first, then the others, nearest first. Errors: not_found, unavailable.
                     caf::replies_to<get_prediction>::with<prediction>,
                     // At this node or, nearest first, at another. Errors: not_found, unavailable.
                     caf::replies_to<find_actor>::with<found_actor>,
                     // In all regions. Errors: unavailable, naming those that did not confirm.
                     caf::replies_to<forget_user>::with<forget_receipt>,
                     // As in `trainer_actor`. Errors: also unavailable when this node does not predict.
                     caf::replies_to<train_piece>::with<training_status>,
                     caf::replies_to<get_training>::with<training_status>, caf::reacts_to<access_batch>,
                     // From itself: tell the predictor of the requests since the last time.
                     caf::reacts_to<flush_a>,
                     // As in `feed_actor`.
                     caf::replies_to<follow_changes>::with<change_page>,
                     // Of an item, whether it is there or not. Errors: unavailable when a node that may have it does
                     // not answer.
                     caf::replies_to<get_effective_policy>::with<effective_policy>,
                     // As in `trainer_actor`. Errors: unavailable when this node does not predict.
                     caf::replies_to<list_trainings>::with<training_list>,
                     // Passes reads that were made elsewhere on to the agent. Not safe to repeat: they count.
                     caf::replies_to<report_reads>::with<reads_receipt>,
                     // Errors: not_found (no such region, or no copy there), rejected (the copy is durable), gone,
                     // unavailable (something needs the copy now). Safe to repeat.
                     caf::replies_to<drop_shadow>::with<shadow_drop>,
                     // Errors: unavailable while the stores are read.
                     caf::replies_to<count_items>::with<item_count>,
                     // As in `region_actor`.
                     caf::replies_to<put_token>::with<token_list>, caf::replies_to<revoke_token>::with<token_list>,
                     caf::replies_to<get_tokens>::with<token_list>>;

/// What the link at the other end of a session can send to a node's link. Frames of other sessions are dropped.
using link_end_actor = caf::typed_actor<
    // Chunks of requests and replies; the receiver answers with `credit` later.
    caf::reacts_to<frame>, caf::reacts_to<credit>,
    // The other end knows no such session: it ends here as well.
    caf::reacts_to<session_over>>;

/// Opens a session between two links. The answer is the other side's hello of the same session. The windows say how
/// much the sender of the hello may have under way before it needs credit.
struct hello {
  node_identity from;
  uint64_t session = 0;
  link_end_actor end;
  uint64_t window_bytes = 0;
  uint32_t window_frames = 0;
  auto fields() {
    return std::tie(from, session, end, window_bytes, window_frames);
  }
};

/// A client may talk to this router until it gets the router's DOWN. Then it greets again.
struct client_welcome {
  node_identity node;
  router_actor router;
  auto fields() {
    return std::tie(node, router);
  }
};

/// The one actor a node publishes. It only greets and forwards, and never restarts. Calls: membership.
using gate_actor = caf::typed_actor<
    // Another node's link opens a session. Errors: rejected (with the reason), unavailable while the node starts.
    caf::replies_to<hello>::with<hello>,
    // A program wants to talk to the router. Errors: unavailable while the node starts. Safe to repeat.
    caf::replies_to<hello_client>::with<client_welcome>>;

/// Outcome of a dial: the gate behind the connection when `answer` is a welcome, else null.
struct dial_result {
  greeting answer;
  gate_actor gate;
  auto fields() {
    return std::tie(answer, gate);
  }
};

/// Connects to other nodes by host:port, through the tunnel or the simulator. Callers: membership.
using dialer_actor = caf::typed_actor<
    // Calls the node that listens there, and ends an earlier connection. Errors: unavailable, timeout,
    // invalid_argument.
    caf::replies_to<dial_a, std::string>::with<dial_result>,
    // Ends the connection to that address, if there is one.
    caf::reacts_to<hang_up_a, std::string>>;

/// Connection to one peer: credit, batching, chunks, urgency. Pending requests fail when the peer goes (peer_gone) or
/// does not answer in time (timeout). New ones are refused when the queue is full (overloaded). Owned by membership;
/// survives reconnects. Hands the peer's requests to the region actor, pings to membership.
using link_actor = exchange_types<peer_exchanges>::carrier<
    // From membership: opens a session through the peer's gate. Answers which node it found. Errors: as the gate's
    // hello.
    caf::replies_to<open_a, gate_actor>::with<node_identity>,
    // From membership, when the peer opens a session: it replaces the one before.
    caf::replies_to<hello>::with<hello>,
    // From membership: the peer counts as down.
    caf::reacts_to<hang_up_a>,
    // Sends what is queued, as far as credit goes.
    caf::reacts_to<flush_a>,
    // Fails requests whose time is up.
    caf::reacts_to<tick_a>>::extend_with<link_end_actor>;

/// Knows who is alive. Owns: the links, the published `cluster_view`.
/// Callers: gate and tunnel (who calls), links (pings, ends). Calls: dialer, links (pings), region (what pings say).
using membership_actor = caf::typed_actor<
    // A peer's heartbeat arrived over a link.
    caf::replies_to<ping>::with<pong>,
    // A node calls at the tunnel: may it come in? Safe to repeat.
    caf::replies_to<greet_a, node_identity>::with<greeting>,
    // A node's link opens a session; passed on to ours. Errors: rejected, with the reason.
    caf::replies_to<hello>::with<hello>,
    // A link's session ended.
    caf::reacts_to<session_lost>,
    // From a shard: an item has begun here. Peers hear of it at once, while there are few of them.
    caf::reacts_to<catalog_row>,
    // Answers how many seeds were reached, once each was tried. Errors: rejected, when a seed or peer refuses this node
    // in the cluster; its sentence is for the person who started the node.
    caf::replies_to<join_a>::with<uint32_t>, caf::reacts_to<tick_a>, caf::reacts_to<flush_a>>;

/// Carries requests of the HTTP threads to the router, each under a number that names the waiting connection, and gives
/// the replies back to their threads. Callers: the HTTP server. Calls: the router. Every request ends in a reply or an
/// error.
using gateway_actor = exchange_types<client_exchanges>::numbered_carrier;

} // namespace gnomon
