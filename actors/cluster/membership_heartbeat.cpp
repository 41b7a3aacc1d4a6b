#include "actors/cluster/membership.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

/// The part of membership that beats: pings, and who counts as live.
namespace gnomon {
namespace {

double milliseconds_between(membership_state::time_point from, membership_state::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

/// Round trips change slowly; an estimate from them costs some hundred microseconds, and whoever keeps what follows
/// from one has to begin anew. So a new one is published only when it says something else.
constexpr auto distances_every = 1s;

/// Between two rounds of heartbeats that news brings forward.
constexpr auto news_every = 20ms;

/// A node whose config says no place is at 0, 0.
region_site site_of(const node_identity& who) {
  region_site site{who.region, std::nullopt, {}};
  if (who.latitude != 0 || who.longitude != 0)
    site.at = place{who.latitude, who.longitude};
  return site;
}

/// A round trip that moves by less than a millisecond or a twentieth changes no order that matters.
bool nearly_equal(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= std::max(1.0, std::max(a, b) / 20);
}

bool nearly_equal(const std::vector<region_site>& a, const std::vector<region_site>& b) {
  auto same = [](const region_site& x, const region_site& y) {
    return x.name == y.name && x.at == y.at
           && std::equal(x.measured_ms.begin(), x.measured_ms.end(), y.measured_ms.begin(), y.measured_ms.end(),
                         [](double p, double q) { return nearly_equal(p, q); });
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

// RFC 6298, section 2: the smoothed round trip moves an eighth of the way to each new one.
double smoothed(double old, double sample) {
  return old < 0 ? sample : old + (sample - old) / 8;
}

} // namespace

void membership_state::tick() {
  self_->delayed_send(self_, node_->config.heartbeat, tick_a_v);
  auto t = now();
  // A node that was itself stopped or late for a while has heard nobody, which says nothing about the others.
  auto overslept = t - last_tick_ - node_->config.heartbeat;
  if (overslept > caf::actor_clock::duration_type::zero())
    for (auto& [name, p] : peers_)
      p.heard += overslept;
  last_tick_ = t;
  forget_removed();
  renew_freshness();
  ping_all();
  judge(t);
  dial_due();
  publish();
  publish_distances(t);
}

ping membership_state::facts(const std::string& to) const {
  ping out;
  out.from = node_->self;
  for (auto& [name, p] : peers_)
    out.known.push_back(p.identity);
  // Those that are down count as well: a node that has lost its memory has to hear of them. They come last, because
  // another node may have taken the place of one.
  std::stable_partition(out.known.begin(), out.known.end(), [this](const node_identity& who) {
    auto state = peers_.at(who.node).state;
    return state == peer_state::live || state == peer_state::suspect;
  });
  for (auto& who : out.known)
    out.round_trips.push_back(peers_.at(who.node).rtt_ms);
  auto& counters = node_->counters;
  for (auto& head : counters.catalog_heads)
    out.catalog_heads.push_back(head.load());
  out.catalog_generation = counters.announced_generation(); // after them: heads that begin anew have none yet
  out.news = news_;
  out.items = counters.items;
  out.shadows = counters.shadows;
  out.bytes = counters.bytes;
  out.tombstones = counters.tombstones;
  out.fresh = node_->is_fresh();
  out.load = node_->pace.load();
  auto owed = node_->owed.of(to);
  out.updates_begun = owed.begun;
  out.updates_settled = owed.settled;
  out.hints = owed.hints || counters.shards_ready.load() < shard_count; // what the last run owed is not known yet
  return out;
}

/// A ping that arrives tells what the sender knows, but not that it hears us: one that is deaf is as good as gone.
pong membership_state::answer(const ping& theirs) {
  if (auto p = find(theirs.from.node); p && p->connected)
    heard(*p, theirs);
  return {facts(theirs.from.node)};
}

void membership_state::send_ping(peer& to) {
  self_->request(to.link, node_->config.down_after, traffic::client, facts(to.identity.node))
      .then([this, sent = now(), sent_ms = node_->steady_ms(),
             name = to.identity.node](const pong& answer) { answered(name, answer.facts, sent, sent_ms); },
            [](const caf::error&) {
              // silence is judged by its length
            });
}

void membership_state::ping_all() {
  last_pings_ = now();
  for (auto& [name, p] : peers_)
    if (p.connected)
      send_ping(p);
  news_.clear();
  node_->counters.catalog_news = 0;
}

/// Where little is new, peers hear of it at once, and need not ask all regions for an item that has just begun. Where
/// much is new, that would be much work, and the next heartbeat is soon enough.
void membership_state::tell_news(const catalog_row& row) {
  if (news_.size() < most_news)
    news_.push_back(row);
  auto since = now() - last_pings_;
  if (since >= news_every)
    news_due();
  else if (!std::exchange(news_scheduled_, true))
    self_->delayed_send(self_, news_every - since, flush_a_v);
}

void membership_state::news_due() {
  news_scheduled_ = false;
  if (!news_.empty() && node_->counters.catalog_news <= most_news)
    ping_all();
}

void membership_state::answered(const std::string& node, const ping& facts, time_point sent, int64_t sent_ms) {
  auto p = find(node);
  if (p == nullptr || !p->connected)
    return;
  p->rtt_ms = smoothed(p->rtt_ms, milliseconds_between(sent, now()));
  p->heard = std::max(p->heard, sent);
  if (std::exchange(p->state, peer_state::live) != peer_state::live)
    publish();
  node_->slices.told(node, sent_ms, facts.catalog_generation, facts.catalog_heads);
  heard(*p, facts);
  notice_lapse();
  p->proven_ms = std::max(p->proven_ms, sent_ms);
  catch_up(*p, sent_ms);
  renew_freshness();
}

void membership_state::heard(peer& p, const ping& facts) {
  p.facts = facts;
  for (auto& other : facts.known)
    learn(other, told::by_others);
  if (auto region = node_->handles.get()->region)
    self_->send(region, facts);
}

/// A peer that falls silent just after an answer is down within `down_after`, though it is looked at only now and then.
void membership_state::judge(time_point t) {
  auto longest = std::max(node_->config.down_after - node_->config.heartbeat, node_->config.down_after / 2);
  for (auto& [name, p] : peers_) {
    auto silence = t - p.heard;
    if (p.state != peer_state::down && silence >= longest) {
      log::warn("membership", "down", {{"node", name}, {"region", p.identity.region}});
      p.state = peer_state::down;
      auto silent_ms = std::chrono::duration_cast<duration>(silence).count();
      p.away_since_ms = std::max<int64_t>(1, node_->steady_ms() - silent_ms);
      disconnect(p);
    } else if (p.state == peer_state::live && silence >= node_->config.suspect_after) {
      p.state = peer_state::suspect;
    }
  }
}

/// Nodes that were taken out for good: nobody pings, dials or counts them any more.
void membership_state::forget_removed() {
  auto removed = node_->removed.get();
  for (auto i = peers_.begin(); i != peers_.end();) {
    auto& [name, p] = *i;
    if (!removed->refuses(name, p.identity.incarnation)) {
      ++i;
      continue;
    }
    disconnect(p);
    caf::anon_send_exit(p.link, caf::exit_reason::user_shutdown);
    log::warn("membership", "removed", {{"node", name}, {"region", p.identity.region}});
    i = peers_.erase(i);
  }
}

/// What is known of the round trips between all regions, for routing.
void membership_state::publish_distances(time_point t) {
  if (t < distances_due_)
    return;
  distances_due_ = t + distances_every;
  std::vector<region_site> sites{site_of(node_->self)};
  std::map<std::string, size_t> numbers{{node_->self.node, 0}};
  for (auto& [name, p] : peers_) {
    numbers.emplace(name, sites.size());
    sites.push_back(site_of(p.identity));
  }
  for (auto& site : sites)
    site.measured_ms.assign(sites.size(), std::numeric_limits<double>::quiet_NaN());
  auto note = [&](size_t from, const std::string& to, double ms) {
    if (auto i = numbers.find(to); i != numbers.end() && ms >= 0)
      sites[from].measured_ms[i->second] = ms;
  };
  for (auto& [name, p] : peers_) {
    note(0, name, p.rtt_ms);
    for (size_t i = 0; i < std::min(p.facts.known.size(), p.facts.round_trips.size()); ++i)
      note(numbers.at(name), p.facts.known[i].node, p.facts.round_trips[i]);
  }
  if (!nearly_equal(sites, node_->distances.get()->sites()))
    node_->distances.set(round_trip_estimate{std::move(sites)});
}

void membership_state::publish() {
  cluster_view view;
  view.unmet_seeds = unmet_seeds();
  for (auto& [name, p] : peers_)
    view.peers.push_back({p.identity, p.state, p.rtt_ms, p.link, p.facts.items, p.facts.shadows, p.facts.bytes,
                          p.facts.tombstones, p.facts.load, p.facts.fresh, p.caught_up, p.proven_ms, p.away_since_ms});
  auto removed = node_->removed.get()->refuses(node_->self.node, node_->self.incarnation);
  node_->slices.set_peers(view.names(), view.unmet_seeds == 0 && !removed);
  node_->cluster.set(std::move(view));
}

} // namespace gnomon
