#include "actors/shard.hpp"

#include "actors/shadow.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr uint32_t catalog_page = 2000;

} // namespace

shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self, context_ptr node, size_t index) {
  auto& state = self->state;
  state.start(self, std::move(node), index);
  return {
      [&](const read_item& x) { return state.pass<item_versions>(x.id, x); },
      [&](const write_item& x) { return state.pass<write_receipt>(x.id, x); },
      [&](const place_copies& x) { return state.pass<shadow_plan>(x.id, x); },
      [&](const fetch_item& x) { return state.pass<item_copy>(x.id, x); },
      [&](const replicate_item& x) { return state.pass<replicate_ack>(x.copy.id, x); },
      [&](const invite_copy& x) { return state.pass<invite_answer>(x.id, x); },
      [&](const update_holders& x) { return state.pass<holders_ack>(x.id, x); },
      [&](const get_copy_report& x) { return state.pass<copy_report>(x.id, x); },
      [&](const steward_order& x) { return state.pass<steward_answer>(x.id, x); },
      [&](const load_item& x) { return state.pass<load_receipt>(x.copy.id, x); },
      [&](locate_a, const std::string& id) { return state.locate(id); },
      [&](const pull_catalog& x) { return state.slice(x); },
      [&](const catalog_position& x) { state.compare(x); },
      [&](const catalog_delta& rows) { state.take_own(rows); },
      [&](const catalog_row& row) { state.note(row); },
      [&](const access_batch& batch) { state.spread(batch); },
      [&](rules_a) { state.check_residency(); },
      [&](const expiry_due& x) { state.tell(x.id, x); },
      [&](refresh_a, const std::string& id, const std::string& peer) { state.tell(id, refresh_a_v, peer); },
      [&](compare_a, const std::string& id, const std::string& peer) { state.tell(id, compare_a_v, peer); },
      [&](reap_a, const std::string& id) { state.tell(id, reap_a_v); },
      [&](const list_held& which) { return state.list(which); },
      [&](verify_a, const std::string& id, const std::string& peer) { state.tell(id, verify_a_v, peer); },
      [&](watch_a, const std::string& id, const item_watcher_actor& watcher) { state.watch(id, watcher, true); },
      [&](unwatch_a, const std::string& id, const item_watcher_actor& watcher) { state.watch(id, watcher, false); },
      [&](tick_a) { state.rest(); },
  };
}

shard_state::~shard_state() {
  for (auto& [id, entry] : awake_)
    caf::anon_send_exit(entry.shadow, caf::exit_reason::user_shutdown);
}

void shard_state::start(self_pointer self, context_ptr node, size_t index) {
  self_ = self;
  node_ = std::move(node);
  index_ = static_cast<uint32_t>(index);
  self_->set_down_handler([this](const caf::down_msg& down) { shadow_down(down); });
  self_->delayed_send(self_, node_->config.shadow_idle / 8, tick_a_v);
}

// -- from message to shadow
// ---------------------------------------------------------------------------------------------

template <class Reply, class Message>
caf::result<Reply> shard_state::pass(const std::string& id, const Message& message) {
  auto& entry = wake(id);
  if (!entry.stopping)
    return self_->delegate(entry.shadow, message);
  auto held = std::make_shared<held_request<Reply, Message>>();
  held->promise = self_->make_response_promise<Reply>();
  held->message = message;
  entry.waiting.push_back([held](const shadow_actor& shadow) {
    held->open = false;
    held->promise.delegate(shadow, std::move(held->message));
  });
  return caf::delegated<Reply>{};
}

template <class... Ts>
void shard_state::tell(const std::string& id, const Ts&... message) {
  auto& entry = wake(id);
  if (!entry.stopping)
    self_->send(entry.shadow, message...);
  else
    entry.waiting.push_back([this, message...](const shadow_actor& shadow) { self_->send(shadow, message...); });
}

shard_state::awake& shard_state::wake(const std::string& id) {
  auto [i, is_new] = awake_.try_emplace(id);
  auto& entry = i->second;
  if (is_new) {
    entry.place = order_.insert(order_.end(), id);
    spawn_shadow(id, entry);
    if (awake_.size() > std::max<size_t>(1, node_->config.max_active_shadows / shard_count))
      ask_to_stop(order_.front(), awake_.at(order_.front()));
  } else {
    order_.splice(order_.end(), order_, entry.place);
  }
  entry.used = self_->clock().now();
  return entry;
}

void shard_state::spawn_shadow(const std::string& id, awake& entry) {
  auto watched = watchers_.find(id);
  auto after_a_crash = watched != watchers_.end();
  entry.shadow = self_->spawn(shadow, node_, shadow_config{id, shard_actor{self_}, after_a_crash});
  entry.stopping = false;
  ids_.emplace(entry.shadow.address(), id);
  self_->monitor(entry.shadow);
  node_->counters.active_shadows.fetch_add(1);
  if (after_a_crash)
    for (const auto& watcher : watched->second)
      self_->send(entry.shadow, watch_a_v, watcher);
}

// -- sleep and death
// ----------------------------------------------------------------------------------------------------

/// Sends those to sleep that nobody has asked for a while.
void shard_state::rest() {
  auto tired = self_->clock().now() - node_->config.shadow_idle;
  for (const auto& id : order_) {
    auto& entry = awake_.at(id);
    if (entry.used > tired)
      break;
    if (!entry.stopping)
      ask_to_stop(id, entry);
  }
  // What a shadow that died had begun is on disk; the next one goes on with it.
  for (const auto& id : std::exchange(died_, {}))
    tell(id, expire_a_v);
  self_->delayed_send(self_, node_->config.shadow_idle / 8, tick_a_v);
}

/// Until the shadow has answered, nothing is sent to it: when it says that it stops, its mailbox is empty. Without a
/// timeout: a shadow that is only late would be taken for dead, and its item would wait for a DOWN that never comes.
void shard_state::ask_to_stop(const std::string& id, awake& entry) {
  if (std::exchange(entry.stopping, true))
    return;
  self_->request(entry.shadow, caf::infinite, tick_a_v)
      .then(
          [this, id](bool stops) {
            if (!stops)
              resume(id);
          },
          [](const caf::error&) {}); // it died, and its DOWN follows
}

void shard_state::resume(const std::string& id) {
  auto i = awake_.find(id);
  if (i == awake_.end())
    return;
  auto& entry = i->second;
  entry.stopping = false;
  entry.used = self_->clock().now();
  order_.splice(order_.end(), order_, entry.place);
  auto waiting = std::move(entry.waiting);
  entry.waiting.clear();
  for (auto& deliver : waiting)
    deliver(entry.shadow);
}

void shard_state::shadow_down(const caf::down_msg& down) {
  auto known = ids_.find(down.source);
  if (known == ids_.end()) {
    for (auto& [watched, watchers] : watchers_)
      std::erase_if(watchers, [&](const auto& watcher) { return watcher == down.source; });
    std::erase_if(watchers_, [](const auto& entry) { return entry.second.empty(); });
    return;
  }
  auto id = std::move(known->second);
  ids_.erase(known);
  node_->counters.active_shadows.fetch_sub(1);
  if (down.reason && down.reason != caf::exit_reason::normal) {
    node_->counters.shadow_crashes.fetch_add(1);
    died_.insert(id);
    log::warn("shard", "shadow-died", {{"id", id}, {"reason", sentence_of(down.reason)}});
    self_->send(node_->handles.get()->anti_entropy, doubt_a_v, id);
  }
  auto& entry = awake_.at(id);
  if (entry.waiting.empty()) {
    order_.erase(entry.place);
    awake_.erase(id);
    return;
  }
  spawn_shadow(id, entry);
  resume(id);
}

/// A shadow that is watched does not sleep; one that dies has a successor at the next tick, which goes on telling.
void shard_state::watch(const std::string& id, const item_watcher_actor& watcher, bool on) {
  on ? tell(id, watch_a_v, watcher) : tell(id, unwatch_a_v, watcher);
  auto& all = watchers_[id];
  if (on && all.insert(watcher).second)
    self_->monitor(watcher);
  else if (!on)
    all.erase(watcher);
  if (all.empty())
    watchers_.erase(id);
  auto watches = [&](const auto& entry) { return entry.second.count(watcher) > 0; };
  if (std::none_of(watchers_.begin(), watchers_.end(), watches))
    self_->demonitor(watcher.address());
}

void shard_state::spread(const access_batch& batch) {
  std::map<std::string, access_batch> by_id;
  for (const auto& sample : batch.samples)
    by_id[sample.id].samples.push_back(sample);
  for (const auto& [id, samples] : by_id)
    tell(id, samples);
}

/// A residency rule may now keep items away from here, by their creators' policies too, which only the shadows know.
/// And nodes may have been removed: their rows go.
void shard_state::check_residency() {
  for (const auto& gone : node_->removed.get()->list()) {
    others_.forget(gone.node);
    positions_.erase(gone.node);
  }
  auto by_user = false;
  for (const auto& entry : node_->policies.get()->entries(false))
    by_user |= entry.scope == policy_scope::user;
  for (const auto& id : own_.held())
    if (by_user || !node_->effective_policy(id, {}).allows(node_->self.region)) {
      node_->index.erase(id);
      tell(id, expire_a_v);
    }
}

// -- the catalog
// --------------------------------------------------------------------------------------------------------

std::vector<std::string> shard_state::locate(const std::string& id) const {
  std::vector<std::string> found;
  if (own_.holds(id))
    found.push_back(node_->self.node);
  auto believed = others_.holders(id);
  auto view = node_->cluster.get();
  for (auto peer : view->by_latency())
    if (auto i = std::find(believed.begin(), believed.end(), peer->identity.node); i != believed.end()) {
      found.push_back(*i);
      believed.erase(i);
    }
  found.insert(found.end(), believed.begin(), believed.end()); // those that are not reachable now
  return found;
}

catalog_delta shard_state::slice(const pull_catalog& request) const {
  auto whole = request.generation != node_->counters.catalog_generation || !request.after.empty();
  auto result = own_.delta(request.since, whole, request.after, catalog_page);
  result.shard = index_;
  result.generation = node_->counters.catalog_generation;
  return result;
}

held_ids shard_state::list(const list_held& which) const {
  held_ids found;
  std::set<uint32_t> leaves(which.leaves.begin(), which.leaves.end());
  for (const auto& id : own_.held())
    if (which.peer.empty() ? leaves.count(leaf_of(id)) > 0 : others_.holds(which.peer, id))
      found.ids.push_back(id);
  return found;
}

void shard_state::compare(const catalog_position& theirs) {
  auto& known = positions_[theirs.node];
  auto same = known == std::make_pair(theirs.generation, theirs.head);
  if (same || !pulling_.insert(theirs.node).second)
    return;
  pull(theirs.node, {index_, known.first, known.second, {}}, 0);
}

/// Asks `peer` for what is new; of a whole slice page after page. `head` is the change number the first page had.
void shard_state::pull(const std::string& peer, pull_catalog question, uint64_t head) {
  auto view = node_->cluster.get();
  auto known = view->find(peer);
  if (!known || !known->usable() || !known->link) {
    pulling_.erase(peer);
    return;
  }
  self_->request(known->link, node_->config.peer_timeout, traffic::repair, question)
      .then(
          [this, peer, question, head](const catalog_delta& delta) {
            auto first = question.after.empty();
            apply(peer, delta, first);
            auto reached = first ? delta.head : head;
            if (delta.whole && delta.more && !delta.rows.empty())
              return pull(peer, {index_, delta.generation, 0, delta.rows.back().id}, reached);
            positions_[peer] = {delta.generation, reached};
            if (delta.whole) // its rows woke nobody
              self_->send(node_->handles.get()->anti_entropy,
                          catalog_position{peer, index_, delta.generation, reached});
            pulling_.erase(peer);
          },
          [this, peer](const caf::error&) { pulling_.erase(peer); });
}

void shard_state::apply(const std::string& peer, const catalog_delta& delta, bool first_page) {
  others_.apply(peer, delta, first_page);
  // An item that both hold although neither knew of the other began in two regions at once. A whole slice wakes nobody:
  // it names every item that the two have in common.
  for (const auto& row : delta.rows)
    if (row.holds && own_.holds(row.id) && (!delta.whole || awake_.count(row.id) > 0))
      tell(row.id, meet_a_v, peer);
}

void shard_state::take_own(const catalog_delta& rows) {
  for (const auto& row : rows.rows)
    note(row);
  if (!rows.more && !std::exchange(ready_, true))
    node_->counters.shards_ready.fetch_add(1);
}

void shard_state::note(const catalog_row& row) {
  node_->counters.catalog_heads[index_].store(own_.record(row.id, row.holds));
}

} // namespace gnomon
