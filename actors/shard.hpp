#pragma once

#include "actors/node_context.hpp"

#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace gnomon {

/// One slice of the ids: who holds what (catalog), and the shadows that are awake. A shadow that sleeps or dies is
/// started again by the next message for its item, and never before the old one is surely gone.
class shard_state {
public:
  using self_pointer = shard_actor::stateful_pointer<shard_state>;

  shard_state() = default;
  /// Ends its shadows: whoever takes this slice over starts them afresh.
  ~shard_state();
  const char* name = "shard";

  void start(self_pointer self, context_ptr node, size_t index);

  /// Hands `message` to the shadow of its item, which answers in our place.
  template <class Reply, class Message>
  caf::result<Reply> pass(const std::string& id, const Message& message);
  /// The same for messages without an answer.
  template <class... Ts>
  void tell(const std::string& id, const Ts&... message);

  // the catalog
  std::vector<std::string> locate(const std::string& id) const;
  catalog_delta slice(const pull_catalog& request) const;
  held_ids list(const list_held& which) const;
  void compare(const catalog_position& theirs);
  void take_own(const catalog_delta& rows);
  void note(const catalog_row& row);

  void watch(const std::string& id, const item_watcher_actor& watcher, bool on);
  void spread(const access_batch& batch);
  void check_residency();
  void rest();

private:
  struct awake {
    shadow_actor shadow;
    bool stopping = false;
    caf::actor_clock::time_point used;
    std::list<std::string>::iterator place;                        // in order_
    std::vector<std::function<void(const shadow_actor&)>> waiting; // messages that came while it was stopping
  };

  /// A request that waits for its shadow. When the shard ends first, the asker is told to try again.
  template <class Reply, class Message>
  struct held_request {
    caf::typed_response_promise<Reply> promise;
    Message message;
    bool open = true;
    ~held_request() {
      if (open)
        promise.deliver(make_error(ec::unavailable, "the part that was asked is being restarted; try again"));
    }
  };

  awake& wake(const std::string& id);
  void spawn_shadow(const std::string& id, awake& entry);
  void ask_to_stop(const std::string& id, awake& entry);
  void resume(const std::string& id);
  void shadow_down(const caf::down_msg& down);
  void pull(const std::string& peer, pull_catalog question, uint64_t head);
  void apply(const std::string& peer, const catalog_delta& delta, bool first_page);

  self_pointer self_ = nullptr;
  context_ptr node_;
  uint32_t index_ = 0;
  catalog_log own_;
  catalog_view others_;
  bool ready_ = false;
  std::map<std::string, std::pair<uint64_t, uint64_t>> positions_; // peer -> generation and head of the rows we have
  std::set<std::string> pulling_;
  std::unordered_map<std::string, awake> awake_;
  std::list<std::string> order_; // least recently used first
  std::map<caf::actor_addr, std::string> ids_;
  std::map<std::string, std::set<item_watcher_actor>> watchers_; // of each item, for the shadow after one that died
  std::set<std::string> died_;                                   // items whose shadow is started again at the next tick
};

shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self, context_ptr node, size_t index);

} // namespace gnomon
