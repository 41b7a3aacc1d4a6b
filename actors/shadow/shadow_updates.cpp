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
  holders.merge_holders(node, ack.holders);
}

void shadow_state::update_failed(const std::string& node, uint32_t epoch, ec reason,
                                 std::shared_ptr<deliveries::update> update) {
  updates_.erase(node);
  if (reason == ec::not_here)
    return holders.mark_left(node, epoch); // its own word: it keeps no record
  debts.leave_hint(node, reason, std::move(update));
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
      holders.pass_along(giver);
    answer_readers();
    if (then)
      then();
  });
}

} // namespace gnomon
