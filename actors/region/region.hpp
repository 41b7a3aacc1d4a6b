#pragma once

#include "actors/messages/answer.hpp"
#include "actors/node/node_context.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gnomon {

/// The regional coordinator. Reads the store's slices at the start, passes peers' requests to the shards, keeps the
/// policies and tells them to the peers, and starts handoffs to peers that are back.
class region_state {
public:
  using self_pointer = region_actor::stateful_pointer<region_state>;

  region_state() = default;
  const char* name = "region";

  void start(self_pointer self, context_ptr node);
  /// Passes a peer's request to the item's shard, once the slices are read.
  template <class Reply, class Message>
  caf::result<Reply> pass(Message message);
  caf::result<shadow_plan> place(const create_shadow& wish);
  /// Passes a peer's comparison to anti-entropy, once the slices are read.
  template <class Reply, class Message>
  caf::result<Reply> pass_comparison(Message message);
  /// Passes what a peer tells or asks about readers to the predictor. Errors: unavailable when there is none.
  template <class Reply, class Message>
  caf::result<Reply> to_predictor(const Message& message);
  template <class Reply, class Message>
  caf::result<Reply> to_feed(const Message& message);
  void heard(const ping& facts);
  void read_on();
  void set_policy(const put_policy& request, answer<policy_list> reply);
  void merge_policies(const exchange_policies& theirs, answer<policy_list> reply);
  void remove(const remove_node& request, answer<node_removal> reply);
  policy_list policies() const;
  // region_tokens.cpp
  void add_token(const token_record& record, answer<token_list> reply);
  void revoke(const std::string& name, answer<token_list> reply);
  token_list tokens() const;
  // region_actors.cpp
  caf::result<found_actor> find(const find_actor& request) const;
  caf::result<actor_reply> pass_to_actor(const actor_message& message);

private:
  struct start_scan {
    store_actor store;
    std::string after;
  };
  /// Tells the shards how far a peer's catalog is.
  struct told_positions {
    uint64_t generation = 0;
    std::vector<uint64_t> heads;
    uint32_t beats = 0;
  };
  void begin_reading();
  void read_slices(start_scan scan);
  void read_later(const start_scan& scan, const caf::error& reason);
  void report_reading(size_t records);
  void take_page(start_scan scan, const store_entries& page);
  void leave_hints(const store_actor& store, const std::string& peer, store_batch hints);
  void slices_read();
  void read_policies();
  std::string doubts_about(const std::vector<std::string>& residency) const;
  void save_policies(const std::vector<policy_entry>& entries, answer<policy_list> reply, policy_list result);
  void pass_positions(const ping& facts);
  bool take_over(policy_table& table, const policy_entry& entry);
  void follow_residency();
  void tell_peers(const exchange_policies& news, traffic urgency = traffic::repair);
  void read_tokens(std::function<void()> then);
  void spread_tokens(const std::vector<token_record>& news, answer<token_list> reply);
  std::vector<token_record> merge_tokens(const std::vector<token_record>& theirs);
  std::vector<token_record> take_over(const std::vector<token_record>& records);
  void save_tokens(const std::vector<token_record>& news, std::function<void(caf::error)> then);
  void greet(const std::string& peer);
  void remember_member(const node_identity& peer);
  void hand_off(const std::string& peer);
  void end_round(const std::string& peer);
  void wake_owing(const std::string& peer, size_t store, const store_entries& found);
  // region_removal.cpp
  std::vector<removed_node> merge_removed(const std::vector<removed_node>& theirs);
  void save_removed(const std::vector<removed_node>& news, std::function<void(caf::error)> then);
  void forget_hints(const std::string& peer);

  self_pointer self_ = nullptr;
  context_ptr node_;
  size_t stores_unread_ = 0;
  std::vector<start_scan> unread_;          // pages that could not be read, until they are tried again
  std::vector<uint64_t> found_;             // digest of what the store holds, by shard
  caf::actor_clock::time_point reported_{}; // how far the reading is
  hlc_source stamps_;
  std::vector<policy_entry> moved_;         // whose residency changed, until `follow_residency` has acted
  std::map<std::string, uint64_t> greeted_; // peer -> its start number when policies were exchanged
  /// How far the hints for one peer have been played out.
  struct handoff {
    caf::actor_clock::time_point last;
    bool more = false;               // the last round did not reach the end
    size_t open = 0;                 // stores that have not answered yet
    bool none = true;                // a round from the first key on has found no hint that waits
    uint64_t made = 0;               // number of hints made when the round began
    uint64_t refusing = 0;           // hints refused by the peer that this round has found so far
    uint64_t refused = 0;            // the same of the last whole round
    std::vector<std::string> places; // by store: the key to go on from; empty: from the first
    bool from_the_first() const {
      return std::all_of(places.begin(), places.end(), [](const std::string& place) { return place.empty(); });
    }
  };
  std::map<std::string, handoff> handoffs_;
  std::map<std::string, caf::actor_clock::time_point> heard_;
  std::map<std::string, told_positions> positions_;
  std::map<std::string, uint64_t> members_; // peer -> the start of it that the store remembers
};

region_actor::behavior_type region(region_actor::stateful_pointer<region_state> self, context_ptr node);

} // namespace gnomon
