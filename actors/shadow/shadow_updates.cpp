#include "actors/shadow/shadow_updates.hpp"

#include "actors/shadow/shadow.hpp"

#include <algorithm>

namespace gnomon {

void shadow_updates::replicate(traffic urgency) {
  for (const auto& node : others())
    send_update(node, urgency);
}

void shadow_updates::send_update(const std::string& node, traffic urgency) {
  if (!visible())
    return;
  if (is_forbidden(node, item().versions()))
    return shadow().debts.tell_forbidden(node);
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

void shadow_updates::update_acknowledged(const std::string& node, const replicate_ack& ack, traffic urgency) {
  auto again = updates_.extract(node).mapped();
  shadow().writes.acknowledge(node, ack.context, ack.counts);
  if (!visible() || ack.context.covers(item().versions().context))
    shadow().debts.settle_debt(node);
  else if (again && !ack.context.covers(visible()->versions.context))
    send_update(node, urgency);
  if (item().role() == holder_state::left)
    return;
  if (!item().versions().context.covers(ack.context))
    pull_from(node);
  shadow().holders.merge_holders(node, ack.holders);
}

void shadow_updates::update_failed(const std::string& node, uint32_t epoch, ec reason,
                                   std::shared_ptr<deliveries::update> update) {
  updates_.erase(node);
  if (reason == ec::not_here)
    return shadow().holders.mark_left(node, epoch); // its own word: it keeps no record
  shadow().debts.leave_hint(node, reason, std::move(update));
}

void shadow_updates::merge(const replicate_item& request, answer<replicate_ack> reply) {
  if (item().role() == holder_state::left && this_node().config.fault == deliberate_fault::accept_without_joining)
    item().settle(holder_state::shadow, {});
  else if (item().role() == holder_state::left)
    return reply.fail(make_error(ec::not_here, "no copy here"));
  if (!may_take(request.copy.versions))
    return reply.fail(this_node().kept_away());
  if (!replica::complete(request.copy))
    return complete_update(request, std::move(reply));
  for (const auto& value : request.copy.values)
    this_node().counters.bytes_in.fetch_add(value.size(), std::memory_order_relaxed);
  auto changed = take_in(request.copy);
  auto context = item().versions().context;
  auto rest = others();
  std::erase_if(rest, [&](const std::string& node) {
    return node == request.from
           || std::find(request.going_to.begin(), request.going_to.end(), node) != request.going_to.end();
  });
  if (changed)
    item().owe(rest);
  std::erase_if(merging_, [](const auto& other) { return other.given(); });
  merging_.push_back(reply);
  persist([this, reply, context, changed, rest] {
    reply.give({context, item().record().holders, counts()});
    shadow().answer_readers();
    for (const auto& node : rest)
      if (changed)
        send_update(node, traffic::repair);
  });
}

/// An update without all its values is merged when they are here.
void shadow_updates::complete_update(const replicate_item& request, answer<replicate_ack> reply) {
  auto copy = std::make_shared<item_copy>(request.copy);
  shadow().transfer.fetch_values(copy, request.from, traffic::repair, [=, this](const caf::error& problem) {
    if (problem)
      return reply.fail(problem);
    auto whole = request;
    whole.copy = *copy;
    merge(whole, reply);
  });
}

void shadow_updates::take_newer(const item_copy& copy, const std::string& giver, std::function<void()> then) {
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
      shadow().holders.pass_along(giver);
    shadow().answer_readers();
    if (then)
      then();
  });
}

void shadow_updates::pull_from(const std::string& node) {
  if ((is_behind() && now() < core_.rests_until) || !pulling_.insert(node).second)
    return;
  ask_peer<item_copy>(
      node, traffic::repair, fetch_item{.id = item().record().id, .requester = this_node().self.node},
      [this, node](item_copy& copy) {
        auto whole = std::make_shared<item_copy>(std::move(copy));
        shadow().transfer.fetch_values(whole, node, traffic::repair, [this, node, whole](const caf::error& problem) {
          pulling_.erase(node);
          if (!problem && item().role() != holder_state::left)
            take_newer(*whole, node, {});
        });
      },
      [this, node](const caf::error&) { pulling_.erase(node); });
}

} // namespace gnomon
