#include "actors/repair/repair.hpp"

#include "actors/node/placement.hpp"
#include "actors/shadow/reaping.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr uint32_t records_a_page = 500;
constexpr auto busy_tick = 50ms;
constexpr auto overdue = 10min;
constexpr auto report_every = 5s;
constexpr uint32_t most_walks = 4; // for one loss; what they leave is found by the slow one

bool contains(const std::vector<std::string>& nodes, const std::string& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

/// The holders of an item, by what they have. A lost one has nothing that counts.
struct sorted_holders {
  std::vector<std::string> durable, shadows, joining, lost;

  sorted_holders(const item_record& record, const repair_scene& scene) {
    for (const auto& node : record.holders.current())
      of(scene.is_lost(node) ? holder_state::left : record.holders.state_of(node)).push_back(node);
  }
  std::vector<std::string>& of(holder_state state) {
    switch (state) {
    case holder_state::durable:
      return durable;
    case holder_state::shadow:
      return shadows;
    case holder_state::joining:
      return joining;
    case holder_state::left:
      break;
    }
    return lost;
  }
  size_t count() const {
    return durable.size() + shadows.size() + joining.size();
  }
};

/// Nodes that may have left without a word: those that were removed or came back with another store, and the reaper of
/// a tombstone that should have gone.
std::vector<std::string> doubtful_nodes(const item_record& record, const repair_scene& scene) {
  std::vector<std::string> found;
  for (const auto& node : record.holders.current())
    if (scene.is_removed(node) || (node != scene.self && scene.is_doubted(node)))
      found.push_back(node);
  if (auto reaper = reaper_of(record); scene.unreaped && reaper != scene.self)
    found.push_back(std::move(reaper));
  return found;
}

/// Of all kinds together: at least `durable` copies, and as many as the item has had, up to its factor.
uint32_t copies_wanted(const item_record& record, uint32_t durable, uint32_t factor, bool outage) {
  if (is_tombstone(record.versions))
    return 0;
  // Entries of former holders stay. Fewer entries than the factor mean that some copies could not be made at first
  // access.
  auto never_had = outage && record.holders.entries().size() < factor;
  auto had = never_had ? factor : static_cast<uint32_t>(record.holders.current().size());
  return std::max(durable, std::min(factor, had));
}

/// The first in rendezvous order of those that have the item; all holders agree on it.
bool places_copies(const sorted_holders& holders, const item_record& record, const std::string& self) {
  auto ready = holders.durable;
  ready.insert(ready.end(), holders.shadows.begin(), holders.shadows.end());
  return !ready.empty() && by_rank(std::move(ready), record.id).front() == self;
}

} // namespace

// -- the decision -----------------------------------------------------------------------------------------------------

repair_need needs_repair(const item_record& record, const policy& rules, const repair_scene& scene) {
  repair_need need;
  need.verify = doubtful_nodes(record, scene);
  sorted_holders holders{record, scene};
  auto durable = std::min(rules.min_copies, rules.factor);
  auto copies = copies_wanted(record, durable, rules.factor, scene.outage);
  auto enough = holders.durable.size() >= durable && holders.count() >= copies;
  if (record.versions.siblings.empty() || enough || !places_copies(holders, record, scene.self))
    return need;
  for (const auto& node : holders.joining)
    if (node != scene.self && !contains(need.verify, node))
      need.verify.push_back(node);
  auto candidates = is_tombstone(record.versions) ? std::vector<std::string>{} : scene.candidates();
  const auto current = record.holders.current();
  std::erase_if(candidates, [&](const std::string& node) { return contains(current, node); });
  auto promotes = holders.durable.size() < durable && !holders.shadows.empty();
  if (candidates.empty() && !promotes)
    return need; // nobody is there to take a copy
  auto possible = static_cast<uint32_t>(holders.count() + candidates.size());
  place_copies wish;
  wish.id = record.id;
  wish.factor = std::max(durable, std::min(copies, possible));
  wish.min_copies = durable;
  wish.candidates = std::move(candidates);
  wish.away = std::move(holders.lost);
  wish.wait = true;
  need.bytes = record.versions.bytes();
  need.place = std::move(wish);
  return need;
}

size_t next_window(size_t window, bool good, size_t most) {
  return good ? std::min(window + 1, most) : std::max<size_t>(window / 2, 1);
}

// -- the actor --------------------------------------------------------------------------------------------------------

repair_actor::behavior_type repair(repair_actor::stateful_pointer<repair_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](rules_a) { state.rules_changed(); },
      [&](tick_a) { state.tick(); },
  };
}

void repair_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  started_ = refilled_ = self_->clock().now();
  window_ = node_->config.repair_at_once;
  node_->counters.repair_active = false;
  node_->counters.repair_under_way = 0;
  self_->delayed_send(self_, node_->config.repair_scan_every, tick_a_v);
}

void repair_state::tick() {
  auto now = self_->clock().now();
  auto per_second = static_cast<int64_t>(node_->config.repair_bytes_per_second);
  auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - refilled_).count();
  if (elapsed > 0) {
    budget_ = std::min(per_second, budget_ + per_second / 1000 * std::min<int64_t>(elapsed, 1000));
    refilled_ = now;
  }
  if (node_->counters.shards_ready.load() >= shard_count) {
    if (look_at_peers())
      begin_walk();
    run_jobs();
    auto at_start = store_ == 0 && after_.empty(); // a walk waits for what the one before found
    auto room = node_->pace.room() > 0;
    if (room && !reading_ && jobs_.empty() && ((urgent_ && (!at_start || under_way_.empty())) || next_page_ <= now))
      read_page();
  }
  report_progress();
  auto busy = urgent_ || !jobs_.empty();
  self_->delayed_send(
      self_, busy ? std::min<duration>(busy_tick, node_->config.repair_scan_every) : node_->config.repair_scan_every,
      tick_a_v);
}

/// Who has been lost since, who is back, and who has come with another store? True when anybody has: what was to be
/// done before may be wrong now.
bool repair_state::look_at_peers() {
  auto view = node_->cluster.get();
  auto now = node_->steady_ms();
  std::set<std::string> lost;
  auto news = false;
  for (const auto& peer : view->peers) {
    const auto& who = peer.identity;
    if (peer.away_since_ms > 0 && now - peer.away_since_ms >= node_->config.repair_after.count())
      lost.insert(who.node);
    auto [known, is_new] = incarnations_.try_emplace(who.node, who.incarnation);
    if (!is_new && peer.state == peer_state::live && std::exchange(known->second, who.incarnation) != who.incarnation)
      news |= doubted_.insert(who.node).second; // not before it can be asked what it still has
  }
  for (const auto& gone : node_->removed.get()->list())
    if (node_->is_removed(gone.node))
      lost.insert(gone.node);
  returned_ |= std::any_of(lost_.begin(), lost_.end(), [&](const std::string& node) {
    return lost.count(node) == 0 && view->find(node) != nullptr;
  });
  news |= lost != lost_;
  lost_ = std::move(lost);
  return news;
}

/// A holder that this node has never heard of counts as lost as well, once there was time to hear of it.
bool repair_state::is_lost(const std::string& node) const {
  if (node == node_->self.node)
    return false;
  auto known = node_->cluster.get()->find(node) != nullptr;
  auto patient = self_->clock().now() - started_ < node_->config.repair_after;
  return lost_.count(node) > 0 || (!known && !patient);
}

// -- the walk ---------------------------------------------------------------------------------------------------------

/// Copies that may no longer be here are looked for at once.
void repair_state::rules_changed() {
  if (!urgent_)
    return begin_walk();
  again_ = true;
  walks_ = std::max(walks_, 1u);
}

void repair_state::begin_walk() {
  std::string lost;
  for (const auto& node : lost_)
    lost += (lost.empty() ? "" : ",") + node;
  log::info("repair", "started", {{"lost", lost}});
  urgent_ = true;
  node_->counters.repair_active = true;
  reported_ = self_->clock().now();
  store_ = 0;
  after_.clear();
  jobs_.clear();
  again_ = false;
  walks_ = most_walks;
}

void repair_state::read_page() {
  auto handles = node_->handles.get();
  reading_ = true;
  next_page_ = self_->clock().now() + node_->config.repair_scan_every;
  auto range = keys::records({}, after_);
  self_
      ->request(handles->stores[store_ % handles->stores.size()], node_->config.request_timeout,
                store_scan{range.first, range.last, records_a_page, false})
      .then(
          [this, store = store_, after = after_](const store_entries& page) {
            reading_ = false;
            if (store == store_ && after == after_) // else a new walk has begun meanwhile
              take_page(page);
          },
          [this](const caf::error& reason) {
            reading_ = false;
            log::warn("repair", "store-not-read", {{"reason", sentence_of(reason)}});
          });
}

void repair_state::take_page(const store_entries& page) {
  for (const auto& [key, value] : page.entries) {
    after_ = keys::record_id(key).value_or(std::string{});
    node_->counters.repair_checked.fetch_add(1, std::memory_order_relaxed);
    if (auto record = decode_record(value.view()))
      look_at(*record);
  }
  if (!page.more) {
    after_.clear();
    if (++store_ >= node_->handles.get()->stores.size())
      end_walk();
  }
  run_jobs();
  read_on();
}

/// In an urgent walk the next page follows at once, unless there is enough to do.
void repair_state::read_on() {
  if (urgent_ && jobs_.empty() && !reading_ && !after_.empty() && node_->pace.room() > 0)
    read_page();
}

void repair_state::look_at(const item_record& record) {
  auto rules = node_->policy_of(record.id, record.versions);
  if (!rules.allows(node_->self.region))
    return self_->send(node_->shard(record.id), expire_a_v, record.id);
  repair_scene scene;
  scene.self = node_->self.node;
  scene.is_removed = [this](const std::string& node) { return node_->is_removed(node); };
  scene.is_lost = [this](const std::string& node) { return is_lost(node); };
  scene.is_doubted = [this](const std::string& node) { return doubted_.count(node) > 0; };
  scene.outage = urgent_ && (returned_ || !lost_.empty());
  scene.unreaped = is_tombstone(record.versions) && age_of(record, node_->time->now()) > 2 * node_->config.reap_after;
  scene.candidates = [&] { return candidates_for_copies(*node_, rules); };
  auto need = needs_repair(record, rules, scene);
  auto shard = node_->shard(record.id);
  for (const auto& node : need.verify) {
    self_->send(shard, verify_a_v, record.id, node);
    again_ |= doubted_.count(node) > 0;
  }
  // A copy too many: every time that one was lost and is back. Those that were read stay, so there is no end to
  // looking.
  auto surplus = has_surplus(record, node_->self.node, rules.min_copies) || exceeds_factor(record, *node_);
  if (returned_ && !need.place && surplus)
    self_->send(shard, reap_a_v, record.id);
  auto now = node_->time->now();
  if (record.indexed != timestamp{} && record.indexed + overdue < now) // the entry of the expiry index was lost
    self_->send(shard, expiry_due{record.id, record.indexed});
  if (!need.place)
    return;
  need.place->lease = {lease_reason::policy, 1.0, now, now, rules.ttl};
  jobs_.push_back({std::move(*need.place), need.bytes});
}

void repair_state::run_jobs() {
  while (!jobs_.empty() && under_way_.size() < std::min<uint64_t>(window_, node_->pace.allowed()) && budget_ > 0) {
    auto next = std::move(jobs_.front());
    jobs_.pop_front();
    auto id = next.wish.id;
    if (!under_way_.insert(id).second)
      continue; // an earlier walk has not finished with it
    budget_ -= static_cast<int64_t>(next.bytes);
    auto patience = node_->config.patience(node_->config.request_timeout, next.bytes);
    node_->counters.repair_under_way = under_way_.size();
    self_->request(node_->shard(id), patience, std::move(next.wish))
        .then([this, id](const shadow_plan& plan) { finished(id, plan.shortfall.empty()); },
              [this, id](const caf::error&) { finished(id, false); });
  }
}

void repair_state::finished(const std::string& id, bool good) {
  under_way_.erase(id);
  window_ = next_window(window_, good, node_->config.repair_at_once);
  again_ |= !good;
  auto& c = node_->counters;
  c.repair_under_way = under_way_.size();
  (good ? c.repair_repaired : c.repair_failed).fetch_add(1, std::memory_order_relaxed);
  log::debug("repair", good ? "repaired" : "not-repaired", {{"id", id}});
  run_jobs();
  read_on();
}

void repair_state::end_walk() {
  store_ = 0;
  if (!urgent_ || !jobs_.empty() || !under_way_.empty())
    return; // not before what it found is done
  doubted_.clear();
  if (std::exchange(again_, false) && walks_-- > 0)
    return;
  urgent_ = returned_ = false;
  auto& c = node_->counters;
  c.repair_active = false;
  log::info("repair", "done", {{"repaired", c.repair_repaired.load()}, {"failed", c.repair_failed.load()}});
}

void repair_state::report_progress() {
  auto now = self_->clock().now();
  if (!urgent_ || now - reported_ < report_every)
    return;
  reported_ = now;
  const auto& c = node_->counters;
  log::info(
      "repair", "progress",
      {{"checked", c.repair_checked.load()}, {"repaired", c.repair_repaired.load()}, {"under_way", under_way_.size()}});
}

} // namespace gnomon
