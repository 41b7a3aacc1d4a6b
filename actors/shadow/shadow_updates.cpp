// How a shadow brings its versions to the other holders, and remembers who still needs them.
#include "actors/shadow/shadow.hpp"

#include <algorithm>

namespace gnomon {

/// Sends the update to all holders.
void shadow_state::replicate(traffic urgency) {
  for (const auto& node : others())
    send_update(node, urgency);
}

/// One update is under way to each holder; the next carries the newest state. It names all holders known here: those
/// that need it get it from here, or from the holder that named them.
void shadow_state::send_update(const std::string& node, traffic urgency) {
  if (!visible())
    return;
  if (is_forbidden(node, item().versions()))
    return debts.tell_forbidden(node);
  if (auto [i, first] = updates_.emplace(node, false); !first) {
    i->second = true;
    return;
  }
  auto copy = within_a_message(*synced());
  copy.holders = item().record().holders;
  uint64_t bytes = 0;
  for (const auto& value : copy.values)
    bytes += value.size();
  auto update = this_node().owed.begin(node);
  ask_peer<replicate_ack>(
      node, urgency, replicate_item{std::move(copy), this_node().self.node, item().record().holders.current()},
      [this, node, bytes, urgency, update](const replicate_ack& ack) {
        this_node().counters.bytes_out.fetch_add(bytes, std::memory_order_relaxed);
        update_acknowledged(node, ack, urgency);
      },
      [this, node, update, epoch = item().epoch_of(node)](const caf::error& reason) {
        update_failed(node, epoch, code_of(reason), update);
      });
}

void shadow_state::update_acknowledged(const std::string& node, const replicate_ack& ack, traffic urgency) {
  auto again = updates_.extract(node).mapped();
  writes.acknowledge(node, ack.context, ack.counts);
  if (!visible() || ack.context.covers(item().versions().context))
    debts.settle_debt(node);
  else if (again && !ack.context.covers(visible()->versions.context))
    send_update(node, urgency);
  if (item().role() == holder_state::left)
    return;
  if (!item().versions().context.covers(ack.context))
    pull_from(node);
  merge_holders(node, ack.holders);
}

void shadow_state::update_failed(const std::string& node, uint32_t epoch, ec reason,
                                 std::shared_ptr<deliveries::update> update) {
  updates_.erase(node);
  if (reason == ec::not_here)
    return mark_left(node, epoch); // its own word: it keeps no record
  debts.leave_hint(node, reason, std::move(update));
}

void shadow_state::mark_left(const std::string& node, uint32_t epoch) {
  item().mark_left(node, epoch);
  if (item().record().holders.state_of(node) == holder_state::left) {
    writes.forget_holder(node);
    debts.settle_debt(node);
  }
  persist();
}

/// A store that has just refused the versions would end this shadow, and with it the knowledge that they are lacking.
void shadow_state::pull_from(const std::string& node) {
  if ((is_behind() && now() < core_.rests_until) || !pulling_.insert(node).second)
    return;
  ask_peer<item_copy>(
      node, traffic::repair, fetch_item{.id = item().record().id, .requester = this_node().self.node},
      [this, node](item_copy& copy) {
        auto whole = std::make_shared<item_copy>(std::move(copy));
        fetch_values(whole, node, traffic::repair, [this, node, whole](const caf::error& problem) {
          pulling_.erase(node);
          if (!problem && item().role() != holder_state::left)
            take_newer(*whole, node, {});
        });
      },
      [this, node](const caf::error&) { pulling_.erase(node); });
}

/// Merges a copy from another holder into the one that is here. A holder that turns out to be behind is brought up to
/// date, and the others are asked whether they have heard. A copy that a rule has come to forbid takes nothing more.
void shadow_state::take_newer(const item_copy& copy, const std::string& giver, std::function<void()> then) {
  if (!may_take(copy.versions)) {
    if (then)
      then();
    return;
  }
  auto changed = take_in(copy);
  auto rest = others();
  std::erase(rest, giver);
  if (changed)
    item().owe(rest);
  persist([this, changed, giver, then = std::move(then), theirs = copy.versions.context] {
    if (visible() && !theirs.covers(visible()->versions.context))
      send_update(giver, traffic::repair);
    if (changed)
      pass_along(giver);
    answer_readers();
    if (then)
      then();
  });
}

void shadow_state::tell_holders(const std::vector<std::string>& nodes, const holder_map& news) {
  for (const auto& node : nodes)
    tell_holder(node, news);
}

/// `then` runs when the answer was taken in.
void shadow_state::tell_holder(const std::string& node, const holder_map& news,
                               std::function<void(const holders_ack&)> then) {
  auto context = visible() ? visible()->versions.context : version_vector{};
  ask_peer<holders_ack>(
      node, traffic::repair, update_holders{item().record().id, this_node().self.node, news, context, counts()},
      [this, node, then = std::move(then), epoch = item().epoch_of(node)](const holders_ack& ack) {
        answered(node, epoch, ack);
        if (then)
          then(ack);
      },
      [this, node](const caf::error& reason) { debts.not_told(node, code_of(reason)); });
}

void shadow_state::answered(const std::string& node, uint32_t epoch, const holders_ack& ack) {
  if (item().role() == holder_state::left)
    return;
  if (!ack.holds)
    return mark_left(node, epoch);
  merge_holders(node, ack.holders);
  compare(node, ack.context, ack.counts);
}

/// Where this copy stands: on disk, not on its way there.
holders_ack shadow_state::standing() const {
  return {item().record().holders, true, visible() ? visible()->versions.context : version_vector{}, counts()};
}

/// Two holders have told each other what they have: what one lacks is sent or fetched.
void shadow_state::compare(const std::string& node, const version_vector& theirs, bool node_counts) {
  writes.acknowledge(node, theirs, node_counts);
  if (!visible())
    return;
  if (theirs.covers(item().versions().context))
    debts.settle_debt(node);
  else if (!theirs.covers(visible()->versions.context) && !debts.is_resting(node)
           && item().record().holders.state_of(node) != holder_state::joining) // that one is being given the value
    send_update(node, traffic::repair);
  if (!item().versions().context.covers(theirs))
    pull_from(node);
}

/// What was fetched from `source` may be news to the other holders, too. They are asked, not sent it: most have it.
void shadow_state::pass_along(const std::string& source) {
  auto rest = others();
  std::erase(rest, source);
  tell_holders(rest, item().record().holders);
}

} // namespace gnomon
