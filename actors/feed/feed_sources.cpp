// How a feed hears of the steps of other nodes' copies.
#include "actors/feed/feed.hpp"

namespace gnomon {

using namespace std::chrono_literals;

namespace {

constexpr auto followed_lasts = 5min; // after the last question of a follower
constexpr auto wait_for_sources = 2s;
constexpr auto longest_pull = 3s; // of a question at a peer
constexpr auto ask_again_after = 300ms;

} // namespace

/// A follower asks. What nobody followed here before, the other nodes have to be told.
void feed_state::note_followed(const interest& what) {
  auto [entry, is_new] = followed_.try_emplace(what);
  entry->second = now() + followed_lasts;
  if (!is_new)
    return;
  ++generation_;
  generation_began_ = now();
  publish_followed();
  ask_sources();
}

void feed_state::drop_followed() {
  if (std::erase_if(followed_, [this](const auto& entry) { return entry.second <= now(); }) == 0)
    return;
  publish_followed();
  if (followed_.empty())
    sources_.clear();
}

/// True when followers of that generation will hear of every change: all peers that can be asked collect them. A peer
/// that confirms it later may have had changes before.
bool feed_state::all_confirmed(uint64_t generation) {
  if (ready_ >= generation)
    return true;
  auto view = node_->cluster.get();
  auto missing = std::any_of(view->peers.begin(), view->peers.end(), [&](const peer_view& peer) {
    return view->reachable(peer.identity.node) && sources_[peer.identity.node].confirmed < generation_;
  });
  if (!missing || now() >= generation_began_ + wait_for_sources)
    ready_ = generation_;
  return ready_ >= generation;
}

void feed_state::ask_sources() {
  if (followed_.empty())
    return;
  auto view = node_->cluster.get();
  for (const auto& peer : view->peers)
    if (view->reachable(peer.identity.node))
      ask(peer.identity.node, sources_[peer.identity.node]);
}

void feed_state::ask(const std::string& node, source& from) {
  auto waits_already = from.question != 0 && from.asked == generation_;
  auto view = node_->cluster.get();
  auto peer = view->reachable(node);
  if (waits_already || now() < from.next || !peer || followed_.empty())
    return;
  from.question = ++questions_;
  from.asked = generation_;
  auto wait = std::min<duration>(longest_pull, node_->config.peer_timeout / 2);
  self_
      ->request(peer->link, caf::infinite, traffic::client,
                pull_steps{node_->self.node, here_, from.feed, from.last, wait})
      .then([=, this, question = from.question](const step_page& page) { hear(node, question, page); },
            [=, this, question = from.question](const caf::error&) {
              auto entry = sources_.find(node);
              if (entry == sources_.end() || entry->second.question != question)
                return;
              entry->second.question = 0;
              entry->second.next = now() + ask_again_after;
            });
}

void feed_state::hear(const std::string& node, uint64_t question, const step_page& page) {
  auto entry = sources_.find(node);
  if (entry == sources_.end() || entry->second.question != question)
    return; // a later question has gone out
  auto& from = entry->second;
  auto came_late = from.confirmed < from.asked && from.asked <= ready_;
  auto gap = std::exchange(from.doubted, false) || page.gap || came_late;
  from.question = 0;
  from.confirmed = from.asked;
  from.feed = page.feed;
  from.last = page.last;
  for (const auto& step : page.steps)
    tell(order_.take(step, now()));
  if (gap)
    tell_gap();
  answer_waiters();
  ask(node, from);
}

/// Something may have been missed.
void feed_state::tell_gap() {
  order_.begin_anew();
  tell(change_of("gap", {}));
}

} // namespace gnomon
