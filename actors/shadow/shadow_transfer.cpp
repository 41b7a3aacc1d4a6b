#include "actors/shadow/shadow_transfer.hpp"

#include "actors/shadow/shadow.hpp"

namespace gnomon {

void shadow_transfer::give(const fetch_item& request, answer<item_copy> reply) {
  if (!visible())
    return reply.fail(make_error(ec::not_here, "no copy here"));
  auto is_holder = item().record().holders.state_of(request.requester) != holder_state::left;
  auto deleted = is_tombstone(visible()->versions);
  auto final = request.without_values || !may_be_behind(); // else the item may have been written again elsewhere
  if (deleted && final && (request.join || !(is_holder || request.tombstones)))
    return reply.fail(visible()->versions.siblings.empty() ? make_error(ec::not_here, "the item has expired")
                                                           : make_error(ec::gone, "the item was deleted"));
  if (request.join && !may_hold(request.requester))
    return reply.fail(this_node().kept_away_from(request.requester));
  auto deliver = [this, request, reply] {
    if (!visible())
      return reply.fail(make_error(ec::not_here, "no copy here"));
    if (request.join && is_forbidden(request.requester, item().versions()))
      return reply.fail(this_node().kept_away_from(request.requester));
    auto copy = request.requester == this_node().self.node ? *synced() : within_a_message(*synced());
    copy.holders = item().record().holders;
    copy.stale = may_be_behind();
    if (request.without_values)
      copy.values.assign(copy.values.size(), blob{});
    for (const auto& value : copy.values)
      this_node().counters.bytes_out.fetch_add(value.size(), std::memory_order_relaxed);
    reply.give(std::move(copy));
  };
  if (!request.join || deleted)
    return deliver();
  item().add_joining(request.requester); // the others hear of it from the requester; until then updates go by here
  persist(deliver);
}

/// A late write elsewhere may not have arrived yet. A node that gets a copy from here has to know that.
bool shadow_transfer::may_be_behind() const {
  return (!this_node().is_fresh() || is_behind())
         && this_node().config.fault != deliberate_fault::freshness_not_carried;
}

item_copy within_a_message(item_copy copy) {
  uint64_t room = max_value_bytes;
  for (auto& value : copy.values)
    if (value.size() > room)
      value = blob{};
    else
      room -= value.size();
  return copy;
}

void shadow_transfer::give_value(const fetch_value& request, const answer<version_value>& reply) {
  const auto* version = synced() ? synced()->versions.find(request.version) : nullptr;
  if (!version || version->deleted)
    return reply.fail(make_error(ec::not_here, "that version is not here"));
  auto place = static_cast<size_t>(version - synced()->versions.siblings.data());
  this_node().counters.bytes_out.fetch_add(version->bytes, std::memory_order_relaxed);
  reply.give({synced()->values[place]});
}

void shadow_transfer::fetch_values(std::shared_ptr<item_copy> copy, const std::string& giver, traffic urgency,
                                   after_values then) {
  auto missing = item().complete_from_here(*copy);
  if (!missing)
    return then({});
  auto place = static_cast<size_t>(missing - copy->versions.siblings.data());
  ask_peer<version_value>(
      giver, urgency, fetch_value{copy->id, missing->id, missing->bytes},
      [this, copy, giver, urgency, then, place](version_value& got) {
        if (got.value.size() != copy->versions.siblings[place].bytes)
          return then(make_error(ec::bad_message, "a value of '" + copy->id + "' has another length than it should"));
        copy->values[place] = std::move(got.value);
        fetch_values(copy, giver, urgency, then);
      },
      [then](const caf::error& reason) {
        auto replaced = code_of(reason) == ec::not_here;
        then(replaced ? make_error(ec::unavailable, "a version was replaced while it was fetched; try again") : reason);
      });
}

} // namespace gnomon
