#include "actors/shadow/copy_search.hpp"

#include <algorithm>

namespace gnomon {

copy_search::copy_search(uint64_t number, const std::string& self, stay keep, audience whom, traffic urgency)
    : number{number}, urgency{urgency}, keep{std::move(keep)}, whom_{whom}, asked_{self} {}

void copy_search::widen(const stay& more, audience further) {
  if (more.wanted && !keep.wanted)
    keep = more;
  if (more.wanted && more.as == holder_state::durable)
    keep.as = more.as;
  whom_ = std::max(whom_, further);
  questioned_.clear(); // what they said may be older than who comes now
}

void copy_search::add_first(std::string holder) {
  if (!holder.empty())
    next_.push_back(std::move(holder));
}

void copy_search::take_candidates(const std::vector<std::string>& believed, const std::vector<std::string>& known,
                                  bool whole, const cluster_view& view) {
  whole_ = whole;
  believed_ = believed;
  auto all = believed;
  all.insert(all.end(), known.begin(), known.end());
  std::stable_partition(all.begin(), all.end(), [&](const std::string& node) {
    auto peer = view.find(node);
    return !peer || peer->fresh;
  });
  next_.insert(next_.end(), all.begin(), all.end());
}

copy_search::step copy_search::next() {
  while (!next_.empty() && asked_.count(next_.front()) > 0)
    next_.pop_front();
  if (!next_.empty())
    return step::ask_holder;
  waits_ = asking_ == 0 && open_questions_ > 0;
  if (asking_ > 0 || waits_)
    return step::wait;
  auto everyone = whom_ == audience::all || (whom_ == audience::all_while_unsure && !whole_);
  return everyone ? step::ask_everyone : step::give_up;
}

std::string copy_search::take_holder() {
  auto holder = std::move(next_.front());
  next_.pop_front();
  asked_.insert(holder);
  ++asking_;
  return holder;
}

std::vector<std::string> copy_search::take_everyone(const cluster_view& view, bool with_unreachable) {
  auto peers = view.by_latency();
  if (with_unreachable)
    for (const auto& peer : view.peers)
      if (!peer.usable())
        peers.push_back(&peer);
  std::vector<std::string> nodes;
  for (auto peer : peers)
    if (asked_.count(peer->identity.node) == 0 && questioned_.insert(peer->identity.node).second)
      nodes.push_back(peer->identity.node);
  open_questions_ = nodes.size();
  waits_ = !nodes.empty();
  return nodes;
}

void copy_search::holder_answered() {
  --asking_;
}

void copy_search::holder_failed(const std::string& failed, ec reason) {
  --asking_;
  if (reason != ec::not_here && reason != ec::forbidden_region && reason != ec::gone)
    unreachable_.insert(failed);
}

bool copy_search::node_answered(const std::string& node, ec reason) {
  --open_questions_;
  auto holds = reason == ec{} || reason == ec::gone; // which of the two it says when it is asked for the item
  if (holds)
    next_.push_back(node);
  else if (reason != ec::not_here)
    unreachable_.insert(node);
  auto waited = waits_ && (holds || open_questions_ == 0);
  if (waited)
    waits_ = false;
  return waited;
}

void copy_search::ask_again(const std::string& holder) {
  asked_.erase(holder);
  next_.push_front(holder);
}

void copy_search::keep_away(const std::string& from) {
  refused_by = from;
  keep.wanted = joined = false;
}

void copy_search::set_aside(const item_copy& copy, const std::string& giver, conflict_rule conflicts) {
  if (!aside) {
    aside = std::make_unique<replica>(copy.id, std::string{});
    stale_at = giver;
  }
  aside->merge(copy, conflicts);
  auto named = copy.holders.current();
  next_.insert(next_.end(), named.begin(), named.end());
}

bool copy_search::may_keep_aside(bool node_is_fresh) const {
  if (!joined || inviters.empty() || is_tombstone(aside->versions()))
    return false;
  auto named = aside->record().holders.current();
  return !node_is_fresh || std::none_of(named.begin(), named.end(), [this](const std::string& node) {
    return unreachable_.count(node) > 0;
  });
}

} // namespace gnomon
