// Which shadows are awake: a bounded number, clients' first, and what only the background woke as long as it must.
#include "actors/shadow/shadow.hpp"
#include "actors/shadow/shard.hpp"

#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr auto look_soon = 20ms;     // while a client or a peer waits; who has work under way is not asked again sooner
constexpr auto look_later = 100ms;   // while the background waits, or keeps a shadow awake
constexpr size_t share_of_peers = 8; // of the places, one in eight is kept for what peers ask: they wait for us
constexpr size_t share_of_others = 2; // one in two is kept from the background

} // namespace

// -- from message to shadow ------------------------------------------------------------------------------------------

/// The shadow, when a message can be sent to it now.
const shadow_actor* shard_state::ready(claim who, const std::string& id) {
  if (auto i = awake_.find(id); i != awake_.end()) {
    use(i->second, who);
    return i->second.stopping ? nullptr : &i->second.shadow;
  }
  if (expected_.count(id) > 0)
    return nullptr;
  if (!has_room(who))
    return nullptr;
  background_pace::unit unit;
  if (who == claim::background && !(unit = node_->pace.begin()))
    return nullptr;
  spawn_shadow(id, std::move(unit), {});
  return &awake_.at(id).shadow;
}

void shard_state::use(awake& entry, claim who) {
  if (who != claim::background)
    entry.unit.reset();
  entry.used = self_->clock().now();
  if (!entry.stopping)
    order_.splice(order_.end(), order_, entry.place);
}

void shard_state::hold(claim who, const std::string& id, std::unique_ptr<held_message> message) {
  if (auto i = awake_.find(id); i != awake_.end())
    return i->second.waiting.push_back(std::move(message));
  auto [i, is_new] = expected_.try_emplace(id);
  auto& entry = i->second;
  if (is_new) {
    node_->ids.add(id);
    node_->pace.wait();
  }
  if (is_new || who < entry.who) {
    if (!is_new)
      turns_[static_cast<size_t>(entry.who)].erase(entry.place);
    entry.who = who;
    entry.since = self_->clock().now();
    auto& turn = turns_[static_cast<size_t>(who)];
    entry.place = turn.insert(turn.end(), id);
  }
  auto known = [&](const auto& other) { return message->repeats(*other); };
  if (std::none_of(entry.waiting.begin(), entry.waiting.end(), known))
    entry.waiting.push_back(std::move(message));
  if (who != claim::background)
    make_room();
  schedule_look();
}

void shard_state::spawn_shadow(const std::string& id, background_pace::unit unit, held_messages messages) {
  node_->ids.add(id);
  auto& entry = awake_[id];
  entry.shadow = self_->spawn(shadow, node_, shadow_config{id, shard_actor{self_}, own_.holds(id)});
  if (!ready_)
    spoken_for_.insert(id);
  entry.used = self_->clock().now();
  entry.place = order_.insert(order_.end(), id);
  entry.unit = std::move(unit);
  if (entry.unit) {
    brief_.insert(id);
    schedule_look();
  }
  ids_.emplace(entry.shadow.address(), id);
  self_->monitor(entry.shadow);
  node_->counters.active_shadows.fetch_add(1);
  if (auto reads = reads_.take(id))
    self_->send(entry.shadow, access_batch{{std::move(*reads)}});
  for (auto& message : messages)
    message->deliver(entry.shadow);
}

// -- room ------------------------------------------------------------------------------------------------------------

size_t shard_state::most_awake(claim who) const {
  auto most = std::max<size_t>(1, node_->config.max_active_shadows / shard_count);
  auto kept = who == claim::client ? most / share_of_peers : who == claim::background ? most / share_of_others : 0;
  return most - kept;
}

bool shard_state::has_room(claim who) const {
  return awake_.size() < most_awake(who);
}

/// Asks as many to stop as wait, the least recently used ones first. Those that are stopping already make room as well.
void shard_state::make_room() {
  auto wanted = turns_[0].size() + turns_[1].size();
  auto stopping = awake_.size() - order_.size();
  auto busy = self_->clock().now() - look_soon;
  while (stopping < wanted && !order_.empty()) {
    auto& entry = awake_.at(order_.front());
    if (entry.refused > busy)
      return; // so have all behind it, or they were used since
    ask_to_stop(std::string{order_.front()}, entry);
    ++stopping;
  }
}

/// Starts the shadows whose turn it is.
void shard_state::admit() {
  for (size_t who = 0; who < turns_.size(); ++who)
    while (!turns_[who].empty() && has_room(static_cast<claim>(who))) {
      background_pace::unit unit;
      if (static_cast<claim>(who) == claim::background && !(unit = node_->pace.begin()))
        break;
      auto id = turns_[who].front();
      auto entry = expected_.extract(id);
      turns_[who].pop_front();
      node_->pace.end_wait();
      spawn_shadow(id, std::move(unit), std::move(entry.mapped().waiting));
    }
  make_room();
  schedule_look();
}

/// Who waits for long hears that it is too much: two nodes might else wait for each other's places until all requests
/// time out.
void shard_state::refuse_late() {
  auto late = self_->clock().now() - node_->config.peer_timeout / 4;
  for (auto who : {claim::client, claim::peer}) {
    auto& turn = turns_[static_cast<size_t>(who)];
    while (!turn.empty() && expected_.at(turn.front()).since <= late) {
      auto id = std::move(turn.front());
      turn.pop_front();
      auto& entry = expected_.at(id);
      node_->counters.activations_refused.fetch_add(1, std::memory_order_relaxed);
      std::erase_if(entry.waiting, [](const auto& message) { return message->refuse(); });
      if (entry.waiting.empty()) {
        expected_.erase(id);
        node_->pace.end_wait();
        continue;
      }
      entry.who = claim::background;
      auto& last = turns_[static_cast<size_t>(claim::background)];
      entry.place = last.insert(last.end(), id);
    }
  }
}

// -- sleep and death -------------------------------------------------------------------------------------------------

void shard_state::schedule_look() {
  auto needed = !expected_.empty() || !brief_.empty();
  auto urgent = !turns_[0].empty() || !turns_[1].empty();
  if (needed && !std::exchange(look_scheduled_, true))
    self_->delayed_send(self_, urgent ? look_soon : look_later, flush_a_v);
}

void shard_state::look_again() {
  look_scheduled_ = false;
  refuse_late();
  auto busy = self_->clock().now() - look_later;
  for (auto i = brief_.begin(); i != brief_.end();) {
    auto found = awake_.find(*i);
    auto brief = found != awake_.end() && found->second.unit;
    if (brief && !found->second.stopping && found->second.refused <= busy)
      ask_to_stop(*i, found->second);
    i = brief ? std::next(i) : brief_.erase(i);
  }
  admit();
}

/// Sends those to sleep that nobody has asked for a while.
void shard_state::rest() {
  auto tired = self_->clock().now() - node_->config.shadow_idle;
  while (!order_.empty() && awake_.at(order_.front()).used <= tired)
    ask_to_stop(std::string{order_.front()}, awake_.at(order_.front()));
  // What a shadow that died had begun is on disk; the next one goes on with it.
  for (const auto& id : std::exchange(died_, {}))
    tell(claim::background, id, expire_a_v);
  for (auto& read : reads_.take_due(node_->time->now()))
    tell(claim::background, read.id, access_batch{{read}});
  renew_filter();
  memory_.set(own_.bytes() + others_.bytes());
  self_->delayed_send(self_, node_->config.shadow_idle / 8, tick_a_v);
}

/// Until the shadow has answered, nothing is sent to it: when it says that it stops, its mailbox is empty. Without a
/// timeout: a shadow that is only late would be taken for dead, and its item would wait for a DOWN that never comes.
void shard_state::ask_to_stop(const std::string& id, awake& entry) {
  entry.stopping = true;
  order_.erase(entry.place);
  self_->request(entry.shadow, caf::infinite, tick_a_v)
      .then(
          [this, id](bool stops) {
            if (!stops)
              resume(id);
          },
          [](const caf::error&) {}); // it died, and its DOWN follows
}

/// It has work under way.
void shard_state::resume(const std::string& id) {
  auto i = awake_.find(id);
  if (i == awake_.end())
    return;
  auto& entry = i->second;
  entry.stopping = false;
  entry.used = entry.refused = self_->clock().now();
  entry.place = order_.insert(order_.end(), id);
  for (auto& message : std::exchange(entry.waiting, {}))
    message->deliver(entry.shadow);
}

void shard_state::shadow_down(const caf::down_msg& down) {
  auto known = ids_.find(down.source);
  if (known == ids_.end())
    return;
  auto id = std::move(known->second);
  ids_.erase(known);
  node_->counters.active_shadows.fetch_sub(1);
  if (down.reason && down.reason != caf::exit_reason::normal) {
    node_->counters.shadow_crashes.fetch_add(1);
    died_.insert(id);
    log::warn("shard", "shadow-died", {{"id", id}, {"reason", sentence_of(down.reason)}});
    auto handles = node_->handles.get();
    self_->send(handles->anti_entropy, doubt_a_v, id);
    if (node_->follows.matches(id)) // it may have died between a write and telling of it
      self_->send(handles->feed, item_step{.id = id, .before = {}, .after = {}, .etag = {}, .at = node_->time->now()});
  }
  auto ended = awake_.extract(id);
  auto& entry = ended.mapped();
  if (!entry.stopping)
    order_.erase(entry.place);
  if (!entry.waiting.empty()) // its place is free again
    spawn_shadow(id, std::move(entry.unit), std::move(entry.waiting));
  admit();
}

} // namespace gnomon
