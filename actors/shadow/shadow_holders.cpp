#include "actors/shadow/shadow_holders.hpp"

#include "actors/shadow/shadow.hpp"
#include "storage/keys.hpp"

namespace gnomon {

void shadow_holders::tell_holders(const std::vector<std::string>& nodes, const holder_map& news) {
  for (const auto& node : nodes)
    tell_holder(node, news);
}

void shadow_holders::tell_holder(const std::string& node, const holder_map& news,
                                 std::function<void(const holders_ack&)> then) {
  auto context = visible() ? visible()->versions.context : version_vector{};
  ask_peer<holders_ack>(
      node, traffic::repair, update_holders{item().record().id, this_node().self.node, news, context, counts()},
      [this, node, then = std::move(then), epoch = item().epoch_of(node)](const holders_ack& ack) {
        answered(node, epoch, ack);
        if (then)
          then(ack);
      },
      [this, node](const caf::error& reason) { shadow().debts.not_told(node, code_of(reason)); });
}

void shadow_holders::pass_along(const std::string& source) {
  auto rest = others();
  std::erase(rest, source);
  tell_holders(rest, item().record().holders);
}

void shadow_holders::meet_twin(const std::string& node) {
  if (visible() && item().record().holders.state_of(node) == holder_state::left)
    tell_holders({node}, item().record().holders);
}

void shadow_holders::verify(const std::string& node) {
  if (item().role() == holder_state::left || item().record().holders.state_of(node) == holder_state::left)
    return;
  this_node().is_removed(node) ? mark_left(node, item().epoch_of(node)) : tell_holders({node}, item().record().holders);
}

void shadow_holders::compare_with(const std::string& node) {
  shadow().listing.note_again();
  if (!visible())
    return;
  auto ours = item().record().holders;
  tell_holder(node, ours, [this, node, ours](const holders_ack& ack) {
    if (!ack.holds || ack.holders != ours || !visible() || ack.context != visible()->versions.context)
      return;
    // Only the versions can differ: a rule for conflicts has changed, and each kept others.
    shadow().updates.send_update(node, traffic::repair);
    shadow().updates.pull_from(node);
  });
}

void shadow_holders::learn_holders(const update_holders& request, answer<holders_ack> reply) {
  if (item().role() == holder_state::left)
    return reply.give({});
  item().merge(request.holders);
  if (request.refused || request.forbidden) {
    core_.behind.merge(request.context);
    core_.rests_until = now() + keys::longest_pause;
    shadow().publish();
  }
  if (request.forbidden && request.counts && !item().versions().context.covers(request.context)
      && request.context.covers(item().versions().context)) { // the past of what is kept elsewhere
    shadow().lifetime.drop();
    return reply.give({});
  }
  persist();
  reply.give(standing());
  shadow().writes.acknowledge(request.from, request.context, request.counts);
  if (visible() && request.context.covers(item().versions().context))
    shadow().debts.settle_debt(request.from);
}

void shadow_holders::answered(const std::string& node, uint32_t epoch, const holders_ack& ack) {
  if (item().role() == holder_state::left)
    return;
  if (!ack.holds)
    return mark_left(node, epoch);
  merge_holders(node, ack.holders);
  compare(node, ack.context, ack.counts);
}

void shadow_holders::merge_holders(const std::string& node, const holder_map& theirs) {
  item().merge(theirs);
  auto mine = item().record().holders.find(this_node().self.node);
  auto there = theirs.find(this_node().self.node);
  if (mine && there && *there < *mine)
    persist([this, node] { tell_holders({node}, item().record().holders); });
  else
    persist();
}

void shadow_holders::mark_left(const std::string& node, uint32_t epoch) {
  item().mark_left(node, epoch);
  if (item().record().holders.state_of(node) == holder_state::left) {
    shadow().writes.forget_holder(node);
    shadow().debts.settle_debt(node);
  }
  persist();
}

/// Two holders have told each other what they have: what one lacks is sent or fetched.
void shadow_holders::compare(const std::string& node, const version_vector& theirs, bool node_counts) {
  shadow().writes.acknowledge(node, theirs, node_counts);
  if (!visible())
    return;
  if (theirs.covers(item().versions().context))
    shadow().debts.settle_debt(node);
  else if (!theirs.covers(visible()->versions.context) && !shadow().debts.is_resting(node)
           && item().record().holders.state_of(node) != holder_state::joining) // that one is being given the value
    shadow().updates.send_update(node, traffic::repair);
  if (!item().versions().context.covers(theirs))
    shadow().updates.pull_from(node);
}

holders_ack shadow_holders::standing() const {
  return {item().record().holders, true, visible() ? visible()->versions.context : version_vector{}, counts()};
}

} // namespace gnomon
