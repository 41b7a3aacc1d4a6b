#pragma once

#include "actors/feed/change_order.hpp"
#include "actors/feed/numbered_log.hpp"
#include "actors/messages/answer.hpp"
#include "actors/messages/feed_position.hpp"
#include "actors/node/node_context.hpp"

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gnomon {

/// What a node tells those who follow items. Two logs: the steps of the copies here, for the feeds of all nodes; and
/// the changes that all nodes' steps together make, for the followers here. A feed pulls the steps of its peers while
/// somebody here follows anything, by questions that wait at the peer for an answer. Everyone asks for what comes after
/// a position, so nobody has to be remembered, a slow follower costs nothing, and what was missed is known.
class feed_state {
public:
  using self_pointer = feed_actor::stateful_pointer<feed_state>;

  feed_state();
  const char* name = "feed";

  void start(self_pointer self, context_ptr node);
  void take(item_step step);
  void pull(const pull_steps& request, answer<step_page> reply);
  void list(const list_states& request, answer<state_page> reply);
  void follow(const follow_changes& request, answer<change_page> reply);
  void tick();

private:
  using time_point = caf::actor_clock::time_point;
  using interest = std::pair<follow_scope, std::string>;

  /// A feed of another node that asks for steps.
  struct reader {
    followed_items items;
    time_point until; // it is forgotten then
    uint64_t after = 0;
    time_point answered_by;
    answer<step_page> open;
  };
  /// A feed of another node that this one asks.
  struct source {
    uint64_t feed = 0, last = 0;
    uint64_t question = 0;  // number of the one under way; 0: none
    uint64_t asked = 0;     // the generation that was asked for
    uint64_t confirmed = 0; // it collects what was followed here in that generation
    bool doubted = false;   // something of it may have been missed here
    time_point next{};
  };
  /// A follower here whose question waits.
  struct waiter {
    follow_changes request;
    feed_position position;
    uint64_t generation = 0;
    time_point until;
    answer<change_page> reply;
  };

  time_point now() const {
    return self_->clock().now();
  }

  // other nodes' feeds ask (feed.cpp)
  void answer_reader(reader& to, bool in_time);
  void drop_readers();
  void publish_followed();

  // this one asks (feed_sources.cpp)
  void ask_sources();
  void ask(const std::string& node, source& from);
  void hear(const std::string& node, uint64_t question, const step_page& page);
  void tell_gap();
  void note_followed(const interest& what);
  void drop_followed();
  bool all_confirmed(uint64_t generation);

  // followers (feed_followers.cpp)
  bool answer_waiter(waiter& to, bool in_time);
  void answer_waiters();
  void tell(std::vector<change_order::told> all);
  void tell(change what);
  /// A change that is noticed now.
  change change_of(std::string kind, std::string id) const;
  void give_present(waiter to);
  uint64_t behind_present(const state_page& states, const waiter& to) const;
  change_page present_page(const state_page& states, const waiter& to) const;
  void give(change_page page, const follow_changes& request, const answer<change_page>& reply);
  void add_values(std::shared_ptr<change_page> page, size_t next, const answer<change_page>& reply);
  static bool concerns(const change& what, const follow_changes& request);

  // the cluster (feed_cluster.cpp)
  void look_at_cluster();
  void give_cluster(const waiter& to);

  self_pointer self_ = nullptr;
  context_ptr node_;
  uint64_t number_ = 0; // of this feed; another one after each start
  numbered_log<item_step> steps_;
  std::map<std::string, reader> readers_; // by node
  uint64_t last_gap_ = 0;                 // its number among the changes
  numbered_log<change> changes_;
  change_order order_;
  std::map<interest, time_point> followed_; // until when, unless somebody asks again
  followed_items here_;                     // the same for other nodes
  uint64_t generation_ = 0;                 // of what is followed here; grows when something is added
  uint64_t ready_ = 0;                      // followers of this generation have been promised all changes
  time_point generation_began_{};
  std::map<std::string, source> sources_; // by node
  uint64_t questions_ = 0;
  std::list<waiter> waiters_;
  struct seen_peer {
    bool up = false, fresh = false;
  };
  std::map<std::string, seen_peer> cluster_;
  std::shared_ptr<const policy_table> policies_;
  uint64_t model_ = 0;
};

feed_actor::behavior_type feed(feed_actor::stateful_pointer<feed_state> self, context_ptr node);

} // namespace gnomon
