#include "runtime/gateway/readers_elsewhere.hpp"

#include "actors/node/placement.hpp"
#include "runtime/location/region_ranking.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace gnomon::http {

namespace {

constexpr int64_t homes_hold_ms = 1000; // regions come and go
constexpr int64_t invited_again_ms = 10'000;
constexpr size_t most_remembered = 10'000;

/// Makes room by forgetting everything: what was forgotten is found again.
template <class Map>
void bound(Map& map) {
  if (map.size() >= most_remembered)
    map.clear();
}

} // namespace

size_t readers_elsewhere::hash::operator()(const ip_address& address) const {
  auto bytes = address.bytes();
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void readers_elsewhere::note(const item_versions& read, const std::optional<ip_address>& client) {
  if (!client || read.values.empty() || read.copy == copy_kind::remote || !node_->config.shadow_on_read)
    return;
  auto now_ms = node_->steady_ms();
  const auto& node = home_of(*client, now_ms);
  if (!node.empty() && is_due(read.id, node, now_ms))
    invite(read, node);
}

/// The node of the client's nearest live region; empty for this one.
const std::string& readers_elsewhere::home_of(const ip_address& client, int64_t now_ms) {
  auto known = homes_.find(client);
  if (known == homes_.end()) {
    bound(homes_);
    known = homes_.emplace(client, home{now_ms, find_home(client)}).first;
  } else if (now_ms - known->second.known_ms > homes_hold_ms) {
    known->second = {now_ms, find_home(client)};
  }
  return known->second.node;
}

std::string readers_elsewhere::find_home(const ip_address& client) const {
  auto view = node_->cluster.get();
  auto found = node_->places->find(client);
  if (view->peers.empty() || !found.known() || found.region == node_->self.region)
    return {};
  auto distances = node_->distances.get();
  for (const auto& next : rank_regions({std::move(found.region), found.at}, *distances, {})) {
    const auto& region = distances->sites()[next.number].name;
    if (region == node_->self.region || next.ms == round_trip_estimate::unknown)
      return {};
    for (const auto& peer : view->peers)
      if (peer.identity.region == region && peer.usable())
        return peer.identity.node;
  }
  return {};
}

bool readers_elsewhere::is_due(const std::string& id, const std::string& node, int64_t now_ms) {
  bound(invited_);
  auto [last, is_new] = invited_.try_emplace(node + '\0' + id, now_ms);
  if (!is_new && now_ms - last->second < invited_again_ms)
    return false;
  last->second = now_ms;
  return true;
}

/// The shadow of the item invites the node, unless that is a holder already. It is the only candidate, so it alone gets
/// a copy, whatever the factor says.
void readers_elsewhere::invite(const item_versions& read, const std::string& node) const {
  auto rules = node_->policy_of(read.id, read.versions);
  auto view = node_->cluster.get();
  auto peer = view->find(node);
  if (!peer || !rules.allows(peer->identity.region))
    return;
  auto now = node_->time->now();
  place_copies wish;
  wish.id = read.id;
  wish.factor = one_each;
  wish.candidates = {node};
  wish.lease = {lease_reason::access, 1.0, now, now, rules.ttl};
  caf::anon_send(node_->shard(read.id), std::move(wish));
}

} // namespace gnomon::http
