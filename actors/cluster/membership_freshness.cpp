#include "actors/cluster/membership.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>
#include <limits>

/// The part of membership that says how long this node may call its copies current. It may as long as a majority of all
/// nodes, itself included, answered a ping that was sent less than `fresh_for` ago. A seed that was never met counts as
/// a node, for it may be the one that has the items. Pings that arrive prove nothing, for they may have waited while
/// this process was frozen. Once that time has passed, answers alone do not bring it back: first each peer that is not
/// down has to say that what it owed this node after the lapse has been delivered. One that went down after the lapse
/// is waited for a while longer.
namespace gnomon {

/// From the start on, and whenever `fresh_until_ms` has passed, the node is catching up. A pause of this process while
/// it does so is a lapse of its own: peers that had delivered everything may owe it something again.
void membership_state::notice_lapse() {
  auto looked = std::exchange(looked_at_ms_, node_->steady_ms());
  auto paused = looked > 0 && looked_at_ms_ - looked >= node_->config.fresh_for.count();
  if (node_->is_fresh() || (node_->lapsed_at_ms > 0 && !paused))
    return;
  node_->lapsed_at_ms = std::max<int64_t>(1, node_->steady_ms());
  for (auto& [name, p] : peers_) {
    p.caught_up = false;
    p.wanted.reset();
  }
  log::info("membership", "catching-up", {{"peers", peers_.size()}});
}

/// What `p` had under way to us when it first answered after the lapse must have arrived, or left hints; and those must
/// be delivered. Later updates find this node awake.
void membership_state::catch_up(peer& p, int64_t sent_ms) {
  auto lapsed = node_->lapsed_at_ms.load();
  if (lapsed == 0 || p.caught_up || sent_ms < lapsed)
    return;
  if (!p.wanted || *p.wanted > p.facts.updates_begun) // it has started again since
    p.wanted = p.facts.updates_begun;
  p.caught_up = p.facts.updates_settled >= *p.wanted && !p.facts.hints;
}

void membership_state::renew_freshness() {
  notice_lapse();
  auto needed = (peers_.size() + unmet_seeds() + 1) / 2;
  auto until = std::numeric_limits<int64_t>::max();
  if (needed > peers_.size()) {
    until = 0;
  } else if (needed > 0) {
    std::vector<int64_t> proofs;
    for (auto& [name, p] : peers_)
      proofs.push_back(p.proven_ms);
    std::nth_element(proofs.begin(), proofs.begin() + static_cast<ptrdiff_t>(needed - 1), proofs.end(),
                     std::greater<>{});
    auto oldest = proofs[needed - 1];
    until = oldest > 0 ? oldest + node_->config.fresh_for.count() : 0;
  }
  if (auto lapsed = node_->lapsed_at_ms.load(); lapsed > 0) {
    // A peer that has gone down since may only be late to meet this node again after the pause of either.
    auto down_after = node_->config.down_after.count();
    auto patience_over = node_->steady_ms() - lapsed >= 2 * down_after;
    auto settled = [&](auto& entry) {
      const auto& p = entry.second;
      auto down_before = p.away_since_ms + down_after <= lapsed;
      return p.caught_up || (p.state == peer_state::down && (down_before || patience_over));
    };
    if (until <= node_->steady_ms() || !std::all_of(peers_.begin(), peers_.end(), settled))
      return;
    node_->lapsed_at_ms = 0;
    node_->counters.catch_ups.fetch_add(1, std::memory_order_relaxed);
    log::info("membership", "caught-up", {{"after_ms", node_->steady_ms() - lapsed}});
  }
  node_->fresh_until_ms = until;
}

} // namespace gnomon
