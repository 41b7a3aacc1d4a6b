// The rounds that anti-entropy itself begins.
#include "actors/repair/anti_entropy.hpp"

#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr size_t reaped_at_once = 1000; // in one tick
constexpr size_t doubts_at_once = 1000; // in one tick
constexpr auto look_again = 100ms;

uint64_t bytes_of(const tree_block& block) {
  return sizeof block.index + block.hashes.size() * sizeof(uint64_t);
}

uint64_t bytes_of(const leaf_entry& entry) {
  return entry.id.size() + 2 + sizeof entry.digest;
}

std::vector<uint32_t> take_some(std::deque<uint32_t>& from, size_t most) {
  auto end = from.begin() + static_cast<ptrdiff_t>(std::min(most, from.size()));
  std::vector<uint32_t> taken(from.begin(), end);
  from.erase(from.begin(), end);
  return taken;
}

} // namespace

// -- beginning and ending --------------------------------------------------------------------------------------------

void anti_entropy_state::tick() {
  self_->delayed_send(self_, node_->config.compare_every, tick_a_v);
  memory_.set(trees_.bytes());
  if (!complete_)
    return;
  reap_some();
  size_t some = 0;
  for (auto i = doubts_.begin(); i != doubts_.end() && some < doubts_at_once; ++i, ++some)
    reread(*i);
  if (round_)
    return;
  auto view = node_->cluster.get();
  std::vector<std::string> live;
  for (const auto& peer : view->peers)
    if (peer.state == peer_state::live && peer.link)
      live.push_back(peer.identity.node);
  if (live.empty())
    return;
  auto next = std::upper_bound(live.begin(), live.end(), last_peer_);
  last_peer_ = next != live.end() ? *next : live.front();
  begin_round(last_peer_);
}

void anti_entropy_state::peer_is_back(const std::string& peer) {
  if (std::find(back_.begin(), back_.end(), peer) == back_.end())
    back_.push_back(peer);
  begin_next();
}

/// A peer's whole slice woke nobody, since it names all that both nodes hold.
void anti_entropy_state::slice_known(const catalog_position& slice) {
  twins_in_[slice.node].insert(slice.shard);
  peer_is_back(slice.node);
}

void anti_entropy_state::begin_next() {
  while (complete_ && !round_ && !back_.empty()) {
    auto peer = std::move(back_.front());
    back_.pop_front();
    begin_round(peer);
  }
}

bool anti_entropy_state::begin_round(const std::string& peer) {
  if (!link_of(peer))
    return false;
  round_ = std::make_unique<round>();
  round_->number = next_round_++;
  round_->peer = peer;
  round_->todo[0].push_back(0);
  auto& shards = twins_in_[peer];
  shards.insert(static_cast<uint32_t>(round_->number % shard_count)); // in case that an answer about one was lost
  round_->shards.assign(shards.begin(), shards.end());
  self_->send(self_, compare_a_v, round_->number);
  return true;
}

void anti_entropy_state::end_round(const caf::error& problem) {
  if (problem)
    log::debug("anti-entropy", "broken-off", {{"peer", round_->peer}, {"reason", sentence_of(problem)}});
  else
    node_->counters.comparisons.fetch_add(1, std::memory_order_relaxed);
  round_.reset();
  begin_next();
}

link_actor anti_entropy_state::link_of(const std::string& peer) const {
  auto view = node_->cluster.get();
  auto known = view->reachable(peer);
  return known ? known->link : link_actor{};
}

// -- one round -------------------------------------------------------------------------------------------------------

/// The deepest first, so that what waits stays small.
void anti_entropy_state::step(uint64_t number) {
  if (!round_ || round_->number != number)
    return;
  if (node_->pace.room() == 0) // what was found waits for its turn
    return self_->delayed_send(self_, look_again, compare_a_v, number);
  if (!round_->todo[3].empty())
    return exchange_leaves();
  for (uint32_t level = 3; level-- > 0;)
    if (!round_->todo[level].empty())
      return compare_blocks(level);
  if (round_->shards.empty())
    return end_round({});
  auto shard = round_->shards.front();
  round_->shards.pop_front();
  look_for_twins(shard);
}

/// The next step comes when what was moved fits into the rate.
void anti_entropy_state::pause() {
  auto rate = std::max<uint64_t>(1, node_->config.compare_bytes_per_second);
  auto wait = duration{static_cast<int64_t>(std::exchange(round_->bytes, 0) * 1000 / rate)};
  if (wait == duration{})
    self_->send(self_, compare_a_v, round_->number);
  else
    self_->delayed_send(self_, wait, compare_a_v, round_->number);
}

template <class Reply, class Message, class Done>
void anti_entropy_state::ask_peer(Message message, Done done) {
  auto link = link_of(round_->peer);
  if (!link)
    return end_round(make_error(ec::peer_gone, "node " + round_->peer + " is not reachable"));
  self_->request(link, node_->config.peer_timeout, traffic::repair, std::move(message))
      .then(
          [this, done, number = round_->number](const Reply& reply) {
            if (round_ && round_->number == number)
              done(reply);
          },
          [this, number = round_->number](const caf::error& problem) {
            if (round_ && round_->number == number)
              end_round(problem);
          });
}

void anti_entropy_state::compare_blocks(uint32_t level) {
  auto places = take_some(round_->todo[level], batch);
  compare_trees question{node_->self.node, level, {}};
  uint64_t bytes = 0;
  for (auto place : places) {
    question.blocks.push_back({place, trees_.block(round_->peer, level, place)});
    bytes += bytes_of(question.blocks.back());
  }
  round_->bytes += bytes;
  node_->counters.comparison_bytes.fetch_add(bytes, std::memory_order_relaxed);
  ask_peer<tree_difference>(std::move(question), [this, level, places](const tree_difference& found) {
    for (size_t i = 0; i < places.size() && i < found.masks.size(); ++i)
      for (auto place : places_of(level, places[i], found.masks[i]))
        round_->todo[level + 1].push_back(place);
    pause();
  });
}

void anti_entropy_state::exchange_leaves() {
  auto leaves = take_some(round_->todo[3], batch);
  read_leaves(leaves, round_->peer, [this, leaves, number = round_->number](expected<shared_copies> ours) {
    if (!round_ || round_->number != number)
      return;
    if (!ours)
      return end_round(ours.error());
    send_leaves(leaves, *ours);
  });
}

void anti_entropy_state::send_leaves(const std::vector<uint32_t>& leaves, const shared_copies& ours) {
  compare_leaves question{node_->self.node, leaves, {}};
  std::map<std::string, uint64_t> sizes;
  uint64_t bytes = 0;
  for (const auto& copy : ours) {
    question.entries.push_back({copy.id, copy.digest});
    bytes += bytes_of(question.entries.back());
    sizes.emplace(copy.id, copy.bytes);
  }
  round_->bytes += bytes;
  node_->counters.comparison_bytes.fetch_add(bytes, std::memory_order_relaxed);
  ask_peer<leaf_difference>(std::move(question), [this, sizes](const leaf_difference& found) {
    round_->bytes += found.bytes;
    for (const auto& id : found.ids)
      if (auto known = sizes.find(id); known != sizes.end()) {
        compare_copies(id, round_->peer);
        round_->bytes += known->second;
      }
    pause();
  });
}

/// Items that began here and at the peer, neither of which knew of the other, stand in no tree. The catalog tells.
void anti_entropy_state::look_for_twins(uint32_t shard) {
  auto number = round_->number;
  self_->request(node_->handles.get()->shards[shard], node_->config.request_timeout, list_held{{}, round_->peer})
      .then(
          [this, shard, number](const held_ids& both) {
            if (!round_ || round_->number != number)
              return;
            auto twins = false;
            for (const auto& id : both.ids)
              if (trees_.hides_from(round_->peer, id)) {
                twins = true;
                compare_copies(id, round_->peer);
              }
            if (!twins) // else they may meet in vain, and are looked for again
              twins_in_[round_->peer].erase(shard);
            pause();
          },
          [this, number](const caf::error& problem) {
            if (round_ && round_->number == number)
              end_round(problem);
          });
}

// -- tombstones ------------------------------------------------------------------------------------------------------

void anti_entropy_state::reap_some() {
  auto ids = trees_.to_reap(last_reaped_, std::min<size_t>(reaped_at_once, node_->pace.room()));
  for (const auto& id : ids)
    self_->send(node_->shard(id), reap_a_v, id);
  last_reaped_ = ids.empty() ? std::string{} : ids.back();
}

} // namespace gnomon
