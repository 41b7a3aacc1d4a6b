#include "actors/membership.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>
#include <limits>

/// The part of membership that beats: pings, who counts as live, how long this node may call its copies current.
namespace gnomon {
namespace {

using std::chrono::duration_cast;

double milliseconds_between(membership_state::time_point from, membership_state::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// RFC 6298, section 2: the smoothed round trip moves an eighth of the way to each new one.
double smoothed(double old, double sample) {
  return old < 0 ? sample : old + (sample - old) / 8;
}

} // namespace

void membership_state::tick() {
  self_->delayed_send(self_, node_->config.heartbeat, tick_a_v);
  auto t = now();
  // A node that was itself stopped for a while has heard nobody, which says nothing about the others.
  auto overslept = t - last_tick_ - 2 * node_->config.heartbeat;
  if (overslept > caf::actor_clock::duration_type::zero())
    for (auto& [name, p] : peers_)
      p.heard += overslept;
  last_tick_ = t;
  for (auto& [name, p] : peers_)
    if (p.connected)
      send_ping(p);
  judge(t);
  dial_due();
  renew_freshness(t);
  publish();
}

ping membership_state::facts() const {
  ping out;
  out.from = node_->self;
  for (auto& [name, p] : peers_)
    if (p.state == peer_state::live || p.state == peer_state::suspect)
      out.known.push_back(p.identity);
  auto& counters = node_->counters;
  out.catalog_generation = counters.catalog_generation;
  for (auto& head : counters.catalog_heads)
    out.catalog_heads.push_back(head.load());
  out.items = counters.items;
  out.leases = counters.leases;
  out.bytes = counters.bytes;
  out.tombstones = counters.tombstones;
  return out;
}

pong membership_state::answer(const ping& theirs) {
  heard(theirs.from.node, theirs, {});
  return {facts()};
}

void membership_state::send_ping(peer& to) {
  auto sent = now();
  self_->request(to.link, node_->config.down_after, traffic::client, facts())
      .then(
          [this, sent, name = to.identity.node](const pong& answer) {
            if (auto p = find(name))
              p->rtt_ms = smoothed(p->rtt_ms, milliseconds_between(sent, now()));
            heard(name, answer.facts, sent);
            renew_freshness(now());
          },
          [](const caf::error&) {
            // silence is judged by its length
          });
}

/// `proven`: when the question was sent that these facts answer; a ping answers none.
void membership_state::heard(const std::string& node, const ping& facts, time_point proven) {
  auto p = find(node);
  if (p == nullptr || !p->connected)
    return;
  p->heard = now();
  p->proven = std::max(p->proven, proven);
  p->items = facts.items;
  p->leases = facts.leases;
  p->bytes = facts.bytes;
  p->tombstones = facts.tombstones;
  if (std::exchange(p->state, peer_state::live) != peer_state::live)
    publish();
  for (auto& other : facts.known)
    learn(other, false);
  if (auto region = node_->handles.get()->region)
    self_->send(region, facts);
}

void membership_state::judge(time_point t) {
  for (auto& [name, p] : peers_) {
    auto silence = t - p.heard;
    if (p.state != peer_state::down && silence >= node_->config.down_after) {
      log::warn("membership", "down", {{"node", name}, {"region", p.identity.region}});
      p.state = peer_state::down;
      disconnect(p);
    } else if (p.state == peer_state::live && silence >= node_->config.suspect_after) {
      p.state = peer_state::suspect;
    }
  }
}

/// The node is current as long as a majority of all nodes, itself included, answered a ping that was sent less than
/// `fresh_for` ago. Pings that arrive prove nothing: they may have waited while this process was frozen.
void membership_state::renew_freshness(time_point t) {
  auto needed = (peers_.size() + 1) / 2;
  if (needed == 0) { // alone; but there may be others as long as a seed was not tried
    node_->fresh_until_ms = knows_seeds() ? std::numeric_limits<int64_t>::max() : 0;
    return;
  }
  std::vector<time_point> proofs;
  for (auto& [name, p] : peers_)
    proofs.push_back(p.proven);
  std::nth_element(proofs.begin(), proofs.begin() + static_cast<ptrdiff_t>(needed - 1), proofs.end(), std::greater<>{});
  auto until = proofs[needed - 1] + node_->config.fresh_for;
  auto left = duration_cast<duration>(until - t).count();
  node_->fresh_until_ms = proofs[needed - 1] == time_point{} ? 0 : node_->steady_ms() + left;
}

void membership_state::publish() {
  cluster_view view;
  for (auto& [name, p] : peers_)
    view.peers.push_back({p.identity, p.state, p.rtt_ms, p.link, p.items, p.leases, p.bytes, p.tombstones});
  node_->cluster.set(std::move(view));
}

} // namespace gnomon
