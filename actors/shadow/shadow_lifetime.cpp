#include "actors/shadow/shadow_lifetime.hpp"

#include "actors/shadow/shadow.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/units.hpp"
#include "storage/keys.hpp"

#include <cmath>

namespace gnomon {

void shadow_lifetime::note_access(const access_batch& batch) {
  double nearest = -1; // what a read would cost without this copy
  auto view = this_node().cluster.get();
  for (const auto& node : others())
    if (auto peer = view->find(node); peer && peer->rtt_ms >= 0 && (nearest < 0 || peer->rtt_ms < nearest))
      nearest = peer->rtt_ms;
  for (const auto& sample : batch.samples) {
    auto own = sample.count - std::min(sample.count, sample.elsewhere);
    item().note_reads(own, sample.at, nearest > 0 ? static_cast<uint64_t>(nearest * own) : 0);
    item().note_demand(sample.count - own, sample.at);
  }
  core_.unsaved = true;
  review_lifetime();
  shadow().demoting.follow_demand();
}

/// The reads that came, and what was learned since, make the copy worth more or less.
void shadow_lifetime::review_lifetime() {
  if (!lives_adaptively())
    return;
  const auto& terms = item().record().lease;
  auto over = terms.expiry() <= now();
  auto life = over ? extended_lifetime_of(this_node(), facts()) : duration_of(lifetime_of(this_node(), facts()));
  if (terms.ttl.count() != 0 && std::abs((life - terms.ttl).count()) < terms.ttl.count() / 4)
    return; // not worth a write; a copy that is over goes
  item().renew_lease(life, terms.reason);
  shadow().publish();
}

/// A fixed lifetime from a policy or a request stays as it is.
bool shadow_lifetime::lives_adaptively() const {
  return item().role() == holder_state::shadow && item().record().lease.reason != lease_reason::request
         && rules().ttl == adaptive_lifetime;
}

void shadow_lifetime::report(answer<copy_report> reply) {
  if (item().role() == holder_state::left)
    return reply.fail(make_error(ec::not_here, "no copy here"));
  const auto& record = item().record();
  auto last_read = record.lease.last_read;
  if (auto entry = this_node().index.peek(record.id))
    last_read = std::max(last_read, timestamp{duration{entry->last_read_ms.load(std::memory_order_relaxed)}});
  copy_report r;
  r.node = this_node().self.node;
  r.region = this_node().self.region;
  r.role = item().role();
  r.reason = record.lease.reason;
  r.confidence = record.lease.confidence;
  r.context = record.versions.context;
  r.etag = record.versions.etag();
  r.created = record.lease.created;
  auto endless = r.role != holder_state::shadow || record.lease.ttl.count() == 0;
  r.expires = endless ? timestamp::max() : last_read + record.lease.ttl;
  r.bytes = item().bytes();
  r.reads = record.reads;
  r.demand = record.wanted.at(now());
  r.cost_bytes = record.cost_bytes;
  r.saved_ms = record.saved_ms;
  auto balance = balance_of(this_node(), facts(), record.saved_ms);
  r.spent_usd = balance.spent_usd;
  r.saved_usd = balance.saved_usd;
  r.why = why_kept();
  r.pinned = record.pinned;
  r.deleted = record.versions.deleted();
  reply.give(std::move(r));
}

std::string shadow_lifetime::why_kept() const {
  switch (item().role()) {
  case holder_state::durable:
    return fmt::format("the policy asks for {} durable copies", rules().min_copies);
  case holder_state::shadow:
    break;
  default:
    return {};
  }
  if (item().record().pinned)
    return "it has a version that too few durable copies have";
  if (lives_adaptively())
    return lifetime_of(this_node(), facts()).worth.explain();
  auto ttl = item().record().lease.ttl;
  return ttl.count() == 0 ? "its lifetime has no end" : "its lifetime is fixed: " + to_text(ttl) + " after a read";
}

copy_facts shadow_lifetime::facts() const {
  const auto& record = item().record();
  auto since = [this](timestamp then) { return std::max(0.0, std::chrono::duration<double>(now() - then).count()); };
  return {.id = record.id,
          .bytes = item().bytes(),
          .reads = record.reads,
          .cost_bytes = record.cost_bytes,
          .age_s = since(record.lease.created),
          .idle_s = since(record.lease.last_read),
          .others = others()};
}

lease shadow_lifetime::settled(lease terms) const {
  if (terms.ttl == adaptive_lifetime)
    terms.ttl = duration_of(lifetime_of(this_node(), facts()));
  return terms;
}

void shadow_lifetime::expiry_due(timestamp at, const caf::error& broken) {
  auto corrupt = broken && code_of(broken) == ec::store_corrupt;
  if (corrupt || (!broken && !shadow().is_syncing() && item().record().indexed != at)) {
    store_batch stray;
    stray.erases.push_back(keys::expiry(at, item().record().id));
    caf::anon_send(this_node().store(item().record().id), std::move(stray));
  }
  if (!broken)
    check_expiry();
}

void shadow_lifetime::check_expiry() {
  if (item().role() == holder_state::left || (shadow().search.is_under_way() && !item().present()))
    return; // a search is making this copy; the collector comes again
  if (auto entry = this_node().index.peek(item().record().id))
    item().note_reads(0, timestamp{duration{entry->last_read_ms.load(std::memory_order_relaxed)}}, 0);
  review_lifetime();
  item().expire_versions(now()); // what it leaves behind when none remain is reaped like a tombstone
  if (item().lease_over(now(), this_node().config.join_timeout) && !shadow().search.is_under_way())
    return drop();
  if (item().present() && !may_hold(this_node().self.node)) {
    if (item().review_due(now())) {
      item().reviewed(this_node().config.join_timeout);
      persist();
    }
    return shadow().residency.move_away();
  }
  shadow().debts.review_debts();
  item().reviewed(this_node().config.join_timeout);
  persist();
}

/// A copy that is no shadow, has what others lack, or is just being read, written or told of.
bool shadow_lifetime::is_needed() const {
  const auto& record = item().record();
  auto quiet = shadow().is_quiet() && !shadow().has_readers() && !shadow().steward.is_reaping();
  return item().role() != holder_state::shadow || record.pinned || !record.owed.empty() || !visible() || !quiet;
}

void shadow_lifetime::make_room() {
  if (is_needed())
    return;
  this_node().counters.shadows_evicted.fetch_add(1, std::memory_order_relaxed);
  drop();
}

void shadow_lifetime::drop() {
  auto id = item().record().id;
  log::debug("shadow", "dropped", {{"id", id}, {"role", name(item().role())}});
  shadow().hide();
  auto told = item().drop();
  persist([this, told] {
    this_node().counters.shadows_dropped.fetch_add(1, std::memory_order_relaxed);
    shadow().holders.tell_holders(told.current(), told);
  });
}

} // namespace gnomon
