#pragma once

#include "actors/messages/answer.hpp"
#include "actors/node/node_context.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gnomon {

/// Keeps the trees of what this node holds, and compares them with those of one live peer after the other: first
/// hashes, then ids and contexts of the leaves that differ. Where copies differ, the shadows here or at the peer
/// exchange what they have. A round that breaks off is forgotten: the next one with that peer finds the same
/// differences. At most one own round is under way, with at most `batch` blocks or leaves in a message.
class anti_entropy_state {
public:
  using self_pointer = anti_entropy_actor::stateful_pointer<anti_entropy_state>;

  anti_entropy_state() = default;
  const char* name = "anti-entropy";

  void start(self_pointer self, context_ptr node);

  // what is held here
  void note(const copy_notes& news);
  void doubt(const std::string& id);

  // what peers ask
  caf::result<tree_difference> compare(const compare_trees& theirs) const;
  void compare(const compare_leaves& theirs, answer<leaf_difference> reply);

  // rounds of our own
  void tick();
  void peer_is_back(const std::string& peer);
  void slice_known(const catalog_position& slice);
  void look_at(const std::string& peer, const held_ids& both);
  void step(uint64_t number);

private:
  static constexpr size_t batch = 64;

  /// A copy in a leaf, as it is in the store.
  struct shared_copy {
    std::string id;
    uint64_t digest = 0;
    uint64_t bytes = 0;
  };
  using shared_copies = std::vector<shared_copy>; // in order of their ids
  /// Copies that are being read from shards and stores.
  struct reading {
    std::string peer;
    size_t open = 0;
    caf::error problem;
    std::vector<std::string> ids;
    shared_copies copies;
    std::function<void(expected<shared_copies>)> then;
  };
  using reading_ptr = std::shared_ptr<reading>;
  struct round {
    uint64_t number = 0;
    std::string peer;
    std::deque<uint32_t> todo[4]; // blocks to compare of levels 0 to 2, then leaves
    std::deque<uint32_t> shards;  // whose items may have begun at both nodes
    uint64_t bytes = 0;           // moved since the last pause
  };

  bool begin_round(const std::string& peer);
  void begin_next();
  void end_round(const caf::error& problem);
  void pause();
  link_actor link_of(const std::string& peer) const;
  /// Asks the round's peer. `done` runs if the same round is still under way then.
  template <class Reply, class Message, class Done>
  void ask_peer(Message message, Done done);
  void compare_blocks(uint32_t level);
  void exchange_leaves();
  void send_leaves(const std::vector<uint32_t>& leaves, const shared_copies& ours);
  void look_for_twins(uint32_t shard);
  void compare_copies(const std::string& id, const std::string& peer);

  void read_leaves(const std::vector<uint32_t>& leaves, const std::string& peer,
                   std::function<void(expected<shared_copies>)> then);
  void read_records(const reading_ptr& r);
  void take_record(reading& r, const std::string& id, const blob* record);
  void reread(const std::string& id);
  void reap_some();

  self_pointer self_ = nullptr;
  context_ptr node_;
  copy_trees trees_;
  memory_use::share memory_;
  size_t complete_shards_ = 0;
  bool complete_ = false;        // everything that the store held at the start was noted
  std::set<std::string> doubts_; // ids whose shadows died
  std::unique_ptr<round> round_;
  uint64_t next_round_ = 0;
  std::string last_peer_;
  std::deque<std::string> back_;                       // peers to compare with first
  std::map<std::string, std::set<uint32_t>> twins_in_; // peer -> shards whose items may have begun at both nodes
  std::string last_reaped_;
};

anti_entropy_actor::behavior_type anti_entropy(anti_entropy_actor::stateful_pointer<anti_entropy_state> self,
                                               context_ptr node);

} // namespace gnomon
