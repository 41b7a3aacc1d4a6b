#pragma once

#include "actors/answer.hpp"
#include "actors/node_context.hpp"

#include <map>
#include <string>
#include <vector>

namespace gnomon {

/// The regional coordinator: reads the store's slices at the start, hands what peers ask to the shards, keeps the
/// policies and passes them on, starts handoffs to peers that are back.
class region_state {
public:
  using self_pointer = region_actor::stateful_pointer<region_state>;

  region_state() = default;
  const char* name = "region";

  void start(self_pointer self, context_ptr node);
  /// Hands a peer's question to the item's shard, once the slices are read.
  template <class Reply, class Message>
  caf::result<Reply> pass(Message message);
  caf::result<shadow_plan> place(const create_shadow& wish);
  /// Hands a peer's comparison to anti-entropy, once the slices are read.
  template <class Reply, class Message>
  caf::result<Reply> pass_comparison(Message message);
  void heard(const ping& facts);
  void set_policy(const put_policy& request, answer<policy_list> reply);
  void merge_policies(const exchange_policies& theirs, answer<policy_list> reply);
  policy_list policies(bool deleted) const;

private:
  struct start_scan {
    store_actor store;
    std::string after;
  };
  /// What the shards were told of a peer's catalog.
  struct told_positions {
    uint64_t generation = 0;
    std::vector<uint64_t> heads;
    uint32_t beats = 0;
  };
  void read_slices(start_scan scan);
  void take_page(start_scan scan, const store_entries& page);
  copy_note noted(const item_record& record) const;
  void slices_read();
  void read_policies();
  void save_policies(const std::vector<policy_entry>& entries, answer<policy_list> reply, policy_list result);
  void tell_peers(const std::vector<policy_entry>& entries);
  void pass_positions(const ping& facts);
  void greet(const std::string& peer);
  void hand_off(const std::string& peer);
  void wake_owing(const std::string& peer, size_t store, const store_entries& found);

  self_pointer self_ = nullptr;
  context_ptr node_;
  size_t stores_unread_ = 0;
  hlc_source stamps_;
  std::map<std::string, uint64_t> greeted_; // peer -> its start number when policies were exchanged
  /// How far the hints for one peer were played out.
  struct handoff {
    caf::actor_clock::time_point last;
    bool more = false;               // the last round did not reach the end
    std::vector<std::string> places; // by store: the key to go on from; empty: from the first
  };
  std::map<std::string, handoff> handoffs_;
  std::map<std::string, caf::actor_clock::time_point> heard_;
  std::map<std::string, told_positions> positions_;
};

region_actor::behavior_type region(region_actor::stateful_pointer<region_state> self, context_ptr node);

} // namespace gnomon
