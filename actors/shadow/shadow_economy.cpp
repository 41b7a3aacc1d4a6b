// What the copy costs and saves, how long it is kept for that, and how it makes room when the node is full.
#include "actors/node/copy_economy.hpp"
#include "actors/shadow/shadow.hpp"

#include "runtime/base/log.hpp"
#include "runtime/base/units.hpp"

#include <cmath>

namespace gnomon {

copy_facts shadow_state::facts() const {
  const auto& record = item_->record();
  auto since = [this](timestamp then) { return std::max(0.0, std::chrono::duration<double>(now() - then).count()); };
  return {.id = record.id,
          .bytes = item_->bytes(),
          .reads = record.reads,
          .cost_bytes = record.cost_bytes,
          .age_s = since(record.lease.created),
          .idle_s = since(record.lease.last_read),
          .others = others()};
}

/// The lease under which a copy of this size is kept here, where `terms` leave that open.
lease shadow_state::settled(lease terms) const {
  if (terms.ttl == adaptive_lifetime)
    terms.ttl = duration_of(lifetime_of(*node_, facts()));
  return terms;
}

/// A fixed lifetime from a policy or a request stays as it is.
bool shadow_state::lives_adaptively() const {
  return item_->role() == holder_state::shadow && item_->record().lease.reason != lease_reason::request
         && rules().ttl == adaptive_lifetime;
}

/// The reads that came, and what was learned since, make the copy worth more or less.
void shadow_state::review_lifetime() {
  if (!lives_adaptively())
    return;
  const auto& terms = item_->record().lease;
  auto over = terms.expiry() <= now();
  auto life = over ? extended_lifetime_of(*node_, facts()) : duration_of(lifetime_of(*node_, facts()));
  if (terms.ttl.count() != 0 && std::abs((life - terms.ttl).count()) < terms.ttl.count() / 4)
    return; // not worth a write; a copy that is over goes
  item_->renew_lease(life, terms.reason);
  publish();
}

std::string shadow_state::why_kept() const {
  switch (item_->role()) {
  case holder_state::durable:
    return fmt::format("the policy asks for {} durable copies", rules().min_copies);
  case holder_state::shadow:
    break;
  default:
    return {};
  }
  if (item_->record().pinned)
    return "it has a version that too few durable copies have";
  if (lives_adaptively())
    return lifetime_of(*node_, facts()).worth.explain();
  auto ttl = item_->record().lease.ttl;
  return ttl.count() == 0 ? "its lifetime has no end" : "its lifetime is fixed: " + to_text(ttl) + " after a read";
}

/// A copy that is no shadow, has what others lack, or is just being read, written or told of.
bool shadow_state::is_needed() const {
  const auto& record = item_->record();
  auto quiet = writes_->empty() && readers_.empty() && !syncing_ && !search_ && !reaping_;
  return item_->role() != holder_state::shadow || record.pinned || !record.owed.empty() || !visible_ || !quiet;
}

/// The node holds more than it may. A copy goes that nobody needs at this moment.
void shadow_state::make_room() {
  if (is_needed())
    return;
  node_->counters.shadows_evicted.fetch_add(1, std::memory_order_relaxed);
  drop();
}

} // namespace gnomon
