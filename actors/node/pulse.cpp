#include "actors/node/pulse.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr auto pulse_every = 100ms;

} // namespace

pulse_actor::behavior_type pulse(pulse_actor::stateful_pointer<pulse_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {[&](tick_a) { state.tick(); }};
}

void pulse_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  stores_.resize(node_->handles.get()->stores.size());
  due_ = self_->clock().now() + pulse_every;
  self_->delayed_send(self_, pulse_every, tick_a_v);
}

void pulse_state::tick() {
  auto now = self_->clock().now();
  auto late = std::chrono::duration_cast<duration>(now - due_);
  for (const auto& store : stores_)
    late = std::max(late, age_of(store));
  node_->pace.feel(std::max(late, age_of(region_)));
  for (size_t i = 0; i < stores_.size(); ++i)
    ask_store(i);
  ask_region();
  due_ = now + pulse_every;
  self_->delayed_send(self_, pulse_every, tick_a_v);
}

void pulse_state::ask_store(size_t index) {
  auto& which = stores_[index];
  if (std::exchange(which.asked, true))
    return;
  which.since = self_->clock().now();
  self_->request(node_->handles.get()->stores[index], caf::infinite, store_get{})
      .then([this, &which](const store_values&) { answered(which); },
            [this, &which](const caf::error&) { answered(which); });
}

/// Through the region's mailbox to a shard's, as what peers ask: an empty page of our own catalog comes back.
void pulse_state::ask_region() {
  auto region = node_->handles.get()->region;
  if (!region || std::exchange(region_.asked, true))
    return;
  region_.since = self_->clock().now();
  auto shard = shard_++ % static_cast<uint32_t>(shard_count);
  const auto& c = node_->counters;
  self_->request(region, caf::infinite, pull_catalog{shard, c.catalog_generation, c.catalog_heads[shard].load(), {}})
      .then([this](const catalog_delta&) { answered(region_); }, [this](const caf::error&) { answered(region_); });
}

void pulse_state::answered(probe& which) {
  which.asked = false;
  which.last = std::chrono::duration_cast<duration>(self_->clock().now() - which.since);
}

duration pulse_state::age_of(const probe& which) const {
  if (!which.asked)
    return which.last;
  return std::max(which.last, std::chrono::duration_cast<duration>(self_->clock().now() - which.since));
}

} // namespace gnomon
