#pragma once

#include "actors/messages/answer.hpp"
#include "actors/shadow/shadow_core.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gnomon {

/// A part of a shadow does one kind of the shadow's work and owns the fields for it. It reaches what all parts share
/// through the members here, and another part by its name: `shadow().updates.replicate(...)`. It never touches the
/// fields of another part. Callbacks may keep a pointer to a part, which lives as long as its actor.
class shadow_part {
public:
  shadow_part(const shadow_part&) = delete;
  shadow_part& operator=(const shadow_part&) = delete;

protected:
  using time_point = caf::actor_clock::time_point;

  explicit shadow_part(shadow_core& core) : core_(core) {}

  shadow_state& shadow() const {
    return core_.shadow;
  }
  shadow_actor::pointer self() const {
    return core_.self;
  }
  node_context& this_node() const {
    return *core_.node;
  }
  replica& item() const {
    return *core_.item;
  }
  const std::shared_ptr<const item_versions>& visible() const {
    return core_.visible;
  }
  const std::shared_ptr<const item_copy>& synced() const {
    return core_.synced;
  }
  timestamp now() const {
    return this_node().time->now();
  }
  bool is_behind() const;
  bool counts() const; // durable or pinned
  std::vector<std::string> others() const;

  // -- rules
  policy rules() const;
  bool may_hold(const std::string& node) const;
  bool may_hold(const std::string& node, const version_set& versions) const;
  bool may_take(const version_set& versions) const; // here, beside what is here
  /// `node` is known, and in a region that a rule keeps the versions away from.
  bool is_forbidden(const std::string& node, const version_set& versions) const;

  // -- changes
  /// As `shadow_state::persist`.
  void persist(std::function<void()> after = {});
  /// Merges another holder's copy. True when versions changed. Later writes here get stamps above all that it brings:
  /// last writer wins would lose an item whose versions succeed each other in another order than their stamps.
  bool take_in(const item_copy& copy);

  // -- questions to peers
  /// Sends `message` over the link to `peer`. Without a usable link, `failed` gets peer_gone. The question counts as
  /// under way.
  template <class Reply, class Message, class Done, class Failed>
  void ask_peer(const std::string& peer, traffic urgency, Message message, Done done, Failed failed);
  /// Asks each of these nodes, all at once. `hear` gets a node's name, and its answer or error; `then` follows the
  /// last.
  template <class Reply, class Message, class Hear>
  void ask_each(const std::vector<std::string>& nodes, traffic urgency, const Message& question, Hear hear,
                std::function<void()> then);
  /// `peer` answers in our place.
  template <class Reply, class Message>
  void pass_to(const std::string& peer, const Message& message, const answer<Reply>& reply);

  shadow_core& core_;
};

template <class Reply, class Message, class Done, class Failed>
void shadow_part::ask_peer(const std::string& peer, traffic urgency, Message message, Done done, Failed failed) {
  auto view = this_node().cluster.get();
  auto known = view->reachable(peer);
  if (!known)
    return failed(make_error(ec::peer_gone, "region of node " + peer + " is not reachable"));
  ++core_.questions;
  // The link answers the question, or fails it in time. CAF's own timer for each question would live until its end,
  // answered or not.
  self()
      ->request(known->link, caf::infinite, urgency, std::move(message))
      .then(
          [this, done](Reply& reply) {
            --core_.questions;
            done(reply);
          },
          [this, failed, urgency](caf::error& reason) {
            --core_.questions;
            if (auto code = code_of(reason);
                urgency != traffic::client && (code == ec::timeout || code == ec::overloaded))
              this_node().pace.peer_is_late();
            failed(reason);
          });
}

template <class Reply, class Message, class Hear>
void shadow_part::ask_each(const std::vector<std::string>& nodes, traffic urgency, const Message& question, Hear hear,
                           std::function<void()> then) {
  auto open = std::make_shared<size_t>(nodes.size() + 1);
  auto one_less = [open, then = std::move(then)] {
    if (--*open == 0)
      then();
  };
  for (const auto& node : nodes) {
    auto answered = [hear, one_less, node](expected<Reply> there) {
      hear(node, there);
      one_less();
    };
    ask_peer<Reply>(
        node, urgency, question, [answered](Reply& there) { answered(std::move(there)); },
        [answered](const caf::error& reason) { answered(reason); });
  }
  one_less();
}

template <class Reply, class Message>
void shadow_part::pass_to(const std::string& peer, const Message& message, const answer<Reply>& reply) {
  ask_peer<Reply>(
      peer, traffic::client, message, [reply](Reply& got) { reply.give(std::move(got)); },
      [reply](const caf::error& reason) { reply.fail(reason); });
}

} // namespace gnomon
