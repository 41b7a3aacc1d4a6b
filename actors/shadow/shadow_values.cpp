// Values that are too long together for one message: what lacks them asks for them one by one.
#include "actors/shadow/shadow.hpp"

namespace gnomon {

item_copy within_a_message(item_copy copy) {
  uint64_t room = max_value_bytes;
  for (auto& value : copy.values)
    if (value.size() > room)
      value = blob{};
    else
      room -= value.size();
  return copy;
}

void shadow_state::give_value(const fetch_value& request, const answer<version_value>& reply) {
  const auto* version = synced() ? synced()->versions.find(request.version) : nullptr;
  if (!version || version->deleted)
    return reply.fail(make_error(ec::not_here, "that version is not here"));
  auto place = static_cast<size_t>(version - synced()->versions.siblings.data());
  this_node().counters.bytes_out.fetch_add(version->bytes, std::memory_order_relaxed);
  reply.give({synced()->values[place]});
}

/// Asks `giver` for what `copy` lacks, and this copy has not got either. `then` hears why that failed.
void shadow_state::fetch_values(std::shared_ptr<item_copy> copy, const std::string& giver, traffic urgency,
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
