#include "actors/shadow/collector.hpp"

#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

namespace gnomon {

collector_actor::behavior_type collector(collector_actor::stateful_pointer<collector_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](tick_a) { state.collect(); },
      [&](room_a) { state.make_room(); },
  };
}

void collector_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  self_->delayed_send(self_, node_->config.collect_every, tick_a_v);
  if (node_->config.store_max_bytes > 0)
    self_->delayed_send(self_, node_->config.collect_every / 4, room_a_v);
}

void collector_state::collect() {
  // What is dropped while the slices are still being read would be counted, or taken from the counts, wrongly.
  auto ready = node_->counters.shards_ready.load() >= shard_count && node_->pace.room() > 0;
  auto handles = node_->handles.get();
  looking_ = ready ? handles->stores.size() : 0;
  if (ready)
    for (const auto& store : handles->stores)
      look(store);
  if (looking_ == 0)
    self_->delayed_send(self_, node_->config.collect_every, tick_a_v);
}

void collector_state::look(const store_actor& store) {
  auto due = keys::expiries(node_->time->now());
  self_->request(store, node_->config.request_timeout, store_scan{due.first, due.last, page, true})
      .then(
          [this](const store_entries& found) {
            wake(found);
            look_again();
          },
          [this](const caf::error& reason) {
            log::warn("collector", "store-not-read", {{"reason", sentence_of(reason)}});
            look_again();
          });
}

void collector_state::wake(const store_entries& due) {
  for (const auto& [key, value] : due.entries)
    if (auto entry = keys::parse_expiry(key))
      self_->send(node_->shard(entry->id), expiry_due{entry->id, entry->at});
}

// -- making room -----------------------------------------------------------------------------------------------------

void collector_state::make_room() {
  self_->delayed_send(self_, node_->config.collect_every / 4, room_a_v);
  const auto& c = node_->counters;
  auto held = static_cast<double>(c.bytes.load());
  auto bound = static_cast<double>(node_->config.store_max_bytes);
  making_room_ = making_room_ ? held > bound * low_water : held >= bound;
  auto stores = node_->handles.get()->stores.size();
  walks_.resize(stores);
  if (making_room_ && c.shards_ready.load() >= shard_count)
    for (size_t store = 0; store < stores; ++store)
      make_room_in(store);
}

/// Asks the next few. What cannot go now is passed by until the walk begins anew.
void collector_state::make_room_in(size_t store) {
  auto all = keys::expiries(timestamp::max());
  auto& walk = walks_[store];
  self_
      ->request(node_->handles.get()->stores[store], node_->config.request_timeout,
                store_scan{std::max(walk, all.first), all.last, room_page, true})
      .then(
          [this, store](const store_entries& found) {
            walks_[store] = found.more ? found.entries.back().first + '\0' : std::string{};
            for (const auto& [key, value] : found.entries)
              if (auto entry = keys::parse_expiry(key))
                self_->send(node_->shard(entry->id), expiry_due{entry->id, entry->at, true});
          },
          [this, store](const caf::error&) { walks_[store].clear(); });
}

/// The next round starts a while after the last store of this one has answered, so rounds never pile up.
void collector_state::look_again() {
  if (--looking_ == 0)
    self_->delayed_send(self_, node_->config.collect_every, tick_a_v);
}

} // namespace gnomon
