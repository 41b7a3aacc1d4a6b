#pragma once

#include "actors/node/node_context.hpp"
#include "actors/shadow/catalog.hpp"
#include "actors/shadow/kept_reads.hpp"
#include "actors/shadow/recent_ids.hpp"

#include <array>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace gnomon {

/// For whom a shadow is woken, most urgent first.
enum class claim : uint8_t { client, peer, background };

/// One slice of the ids: who holds what (catalog), and the shadows that are awake. The next message for an item starts
/// its shadow again when it sleeps or has died, but never before the old shadow has ended. At most `shadows.max_active`
/// shadows are awake; further ones wait until others sleep. Shadows that the background wakes also keep to the node's
/// pace, and sleep as soon as they have nothing to do.
class shard_state {
public:
  using self_pointer = shard_actor::stateful_pointer<shard_state>;

  shard_state() = default;
  /// Ends its shadows. The next owner of this slice starts them again.
  ~shard_state();
  const char* name = "shard";

  void start(self_pointer self, context_ptr node, size_t index);

  /// A read of what nobody is known to hold is answered here, and wakes no shadow.
  caf::result<item_versions> read(const read_item& request);
  /// Passes `message` to the shadow of its item, which answers in this shard's place.
  template <class Reply, class Message>
  caf::result<Reply> pass(claim who, const std::string& id, const Message& message);
  /// The same for messages without an answer.
  template <class... Ts>
  void tell(claim who, const std::string& id, const Ts&... message);

  // the catalog
  std::vector<std::string> locate(const std::string& id) const;
  /// True when every peer that can be reached has said what it holds of this slice. Changes may still be on their way.
  bool knows_whole() const;
  catalog_delta slice(const pull_catalog& request) const;
  held_ids list(const list_held& which) const;
  caf::result<item_count> count(const count_items& which) const;
  void compare(const catalog_position& theirs);
  /// What a shadow has said since counts more than the page, which may have been read before that.
  void take_found(const found_copies& page);
  void take_own(const catalog_delta& rows);
  void note(const catalog_row& row);

  void lose(const lost_ids& part);

  void spread(const access_batch& batch);
  void forget_removed();
  void rest();
  void look_again();

private:
  using time_point = caf::actor_clock::time_point;

  /// A message that waits for its shadow.
  struct held_message {
    virtual ~held_message() = default;
    virtual void deliver(const shadow_actor& shadow) = 0;
    /// True when the asker was told that it takes too long. News without an answer goes on waiting.
    virtual bool refuse() {
      return false;
    }
    virtual bool repeats(const held_message&) const {
      return false;
    }
  };
  using held_messages = std::vector<std::unique_ptr<held_message>>;

  /// When the shard ends before the message was delivered, the asker is told to try again.
  template <class Reply, class Message>
  struct held_request : held_message {
    caf::typed_response_promise<Reply> promise;
    Message message;
    bool open = true;
    ~held_request() override {
      if (open)
        promise.deliver(make_error(ec::unavailable, "the part that was asked is being restarted; try again"));
    }
    void deliver(const shadow_actor& shadow) override {
      open = false;
      promise.delegate(shadow, std::move(message));
    }
    bool refuse() override {
      open = false;
      promise.deliver(make_error(ec::overloaded, "too many items are in use at once; try again later"));
      return true;
    }
  };
  /// The same news twice counts once.
  template <class... Ts>
  struct held_news : held_message {
    self_pointer self = nullptr;
    std::tuple<Ts...> news;
    void deliver(const shadow_actor& shadow) override {
      std::apply([&](auto&... parts) { self->send(shadow, std::move(parts)...); }, news);
    }
    bool repeats(const held_message& other) const override {
      if constexpr ((std::is_same_v<Ts, access_batch> || ...))
        return false;
      else {
        auto same = dynamic_cast<const held_news*>(&other);
        return same && same->news == news;
      }
    }
  };

  struct awake {
    shadow_actor shadow;
    bool stopping = false;
    time_point used{};
    time_point refused{};                   // when it last said that it has work under way
    std::list<std::string>::iterator place; // in order_, while it is not stopping
    background_pace::unit unit;             // while only the background uses it
    held_messages waiting;                  // came while it was stopping
  };
  /// An item whose shadow waits for its turn.
  struct expected_one {
    claim who = claim::background;
    time_point since{};
    std::list<std::string>::iterator place; // in turns_
    held_messages waiting;
  };

  // activation: shard_activation.cpp
  const shadow_actor* ready(claim who, const std::string& id);
  void use(awake& entry, claim who);
  void hold(claim who, const std::string& id, std::unique_ptr<held_message> message);
  void spawn_shadow(const std::string& id, background_pace::unit unit, held_messages messages);
  size_t most_awake(claim who) const;
  bool has_room(claim who) const;
  void make_room();
  void admit();
  void refuse_late();
  void ask_to_stop(const std::string& id, awake& entry);
  void resume(const std::string& id);
  void shadow_down(const caf::down_msg& down);
  void schedule_look();

  void pull(const std::string& peer, pull_catalog question, uint64_t head, background_pace::unit unit);
  void apply(const std::string& peer, const catalog_delta& delta, bool first_page);
  bool is_absent(const std::string& id) const;
  void take_news(const catalog_position& theirs);
  void show_position() const;
  void rows_changed(const std::string& id);
  void renew_filter();
  void show_holders(const std::string& id) const;
  void show_whole() const;

  static constexpr size_t most_kept_reads = 4096;

  self_pointer self_ = nullptr;
  context_ptr node_;
  uint32_t index_ = 0;
  catalog_log own_;
  catalog_view others_;
  memory_use::share memory_;
  bool ready_ = false;
  /// How far this node has the rows of a peer. Generation 0: the peer has not yet told the whole slice.
  struct position {
    uint64_t generation = 0, head = 0;
    bool reading = false; // it reads its stores, and may hold more
  };
  std::map<std::string, position> positions_; // by peer
  std::set<std::string> pulling_;
  recent_ids gone_;                  // that nobody is known to hold any more
  std::set<std::string> spoken_for_; // until it is ready: items whose shadows were awake, and report themselves
  std::unordered_map<std::string, awake> awake_;
  std::list<std::string> order_; // of those that are not stopping, least recently used first
  std::unordered_map<std::string, expected_one> expected_;
  std::array<std::list<std::string>, 3> turns_; // of those that are expected, by claim
  std::set<std::string> brief_;                 // awake for the background only
  bool look_scheduled_ = false;
  kept_reads reads_{most_kept_reads};
  std::map<caf::actor_addr, std::string> ids_;
  std::set<std::string> died_; // items whose shadow is started again at the next tick
};

shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self, context_ptr node, size_t index);

template <class Reply, class Message>
caf::result<Reply> shard_state::pass(claim who, const std::string& id, const Message& message) {
  if (auto shadow = ready(who, id))
    return self_->delegate(*shadow, message);
  auto held = std::make_unique<held_request<Reply, Message>>();
  held->promise = self_->template make_response_promise<Reply>();
  held->message = message;
  hold(who, id, std::move(held));
  return caf::delegated<Reply>{};
}

template <class... Ts>
void shard_state::tell(claim who, const std::string& id, const Ts&... message) {
  if (auto shadow = ready(who, id))
    return self_->send(*shadow, message...);
  auto held = std::make_unique<held_news<Ts...>>();
  held->self = self_;
  held->news = std::make_tuple(message...);
  hold(who, id, std::move(held));
}

} // namespace gnomon
