// What a router says of an item's copies, of the way to them, and of the cluster.
#include "actors/region/router.hpp"

#include "runtime/base/great_circle.hpp"
#include "runtime/location/region_ranking.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon {

namespace {

constexpr auto route_patience = std::chrono::seconds{1};

} // namespace

// -- where an item is

void router_state::status(const std::string& id, answer<shadow_report> reply) {
  find_copy(
      id, [this, reply](const item_copy& copy) { ask_holders(copy, reply); },
      [reply](const caf::error& reason) { reply.fail(reason); });
}

void router_state::ask_holders(const item_copy& copy, answer<shadow_report> reply) {
  auto rules = node_->policy_of(copy.id, copy.versions);
  auto report = std::make_shared<shadow_report>();
  auto ranked = copy.holders.durable_by_rank(copy.id);
  report->id = copy.id;
  report->factor = rules.factor;
  report->min_copies = rules.min_copies;
  report->steward = ranked.empty() ? std::string{} : ranked.front();
  report->deleted = copy.versions.deleted();
  auto holders = copy.holders.current();
  auto open = std::make_shared<size_t>(holders.size());
  auto done = [report, reply, open] {
    if (--*open == 0)
      reply.give(std::move(*report));
  };
  auto view = node_->cluster.get();
  report->copies.resize(holders.size());
  for (size_t i = 0; i < holders.size(); ++i) {
    auto peer = view->find(holders[i]);
    auto& line = report->copies[i];
    line.node = holders[i];
    line.region = holders[i] == node_->self.node ? node_->self.region : peer ? peer->identity.region : "";
    line.role = copy.holders.state_of(holders[i]);
    line.reachable = false;
    auto answered = [report, i, done](const copy_report& got) {
      report->copies[i] = got;
      done();
    };
    ask_at<copy_report>(holders[i], get_copy_report{copy.id}, answered, [done](const caf::error&) { done(); });
  }
}

/// The catalog hears of a new copy within a second. Any copy knows all holders at once: the one here, or else the
/// nearest, is asked; where the catalog names none, all peers are. Without their answer the catalog has to do.
void router_state::route(const get_route& request, answer<route_list> reply) {
  with_holders(request.id, reply, [=, this](const std::vector<std::string>& believed) {
    auto view = node_->cluster.get();
    auto targets = to_ask_for_holders(*view, believed);
    auto open = std::make_shared<size_t>(targets.size());
    auto found = [=, this](const item_copy& copy) {
      auto holders = copy.versions.deleted() ? std::vector<std::string>{} : copy.holders.current();
      reply.give(rank_routes(request, holders));
    };
    auto failed = [=, this](const caf::error&) {
      if (--*open == 0)
        reply.give(rank_routes(request, believed));
    };
    fetch_item question{.id = request.id, .requester = node_->self.node, .without_values = true, .tombstones = true};
    for (auto peer : targets)
      if (peer)
        self_->request(peer->link, route_patience, traffic::client, question).then(found, failed);
      else
        self_->request(node_->shard(request.id), route_patience, question).then(found, failed);
    if (targets.empty())
      reply.give(rank_routes(request, believed));
  });
}

/// Null stands for this node.
std::vector<const peer_view*> router_state::to_ask_for_holders(const cluster_view& view,
                                                               const std::vector<std::string>& believed) const {
  if (!believed.empty() && believed.front() == node_->self.node)
    return {nullptr};
  for (const auto& node : believed)
    if (auto peer = view.reachable(node))
      return {peer};
  std::vector<const peer_view*> all;
  for (const auto& peer : view.peers)
    if (view.reachable(peer.identity.node))
      all.push_back(&peer);
  return all;
}

/// Live regions that hold the item come first, then live ones that would fetch it; among them the one with the lowest
/// expected round trip from the client.
route_list router_state::rank_routes(const get_route& request, const std::vector<std::string>& holders) const {
  auto [client, sentence] = client_of(request);
  auto distances = node_->distances.get();
  auto ranked = rank_regions(client, *distances, conditions_of(distances->sites()),
                             {static_cast<double>(node_->config.detour.count())});
  auto position = [&](const std::string& region) {
    return std::find_if(ranked.begin(), ranked.end(),
                        [&](const ranked_region& entry) { return distances->sites()[entry.number].name == region; });
  };
  route_list result;
  result.client = std::move(sentence);
  auto add = [&](const node_identity& who, bool live, double rtt) {
    auto holds = std::find(holders.begin(), holders.end(), who.node) != holders.end();
    route_choice choice{who.node, who.region, holds, live, rtt, -1, -1, {}};
    if (client.at)
      choice.distance_km = great_circle_km(*client.at, {who.latitude, who.longitude});
    choice.reason = !live ? "not reachable" : holds ? "holds the item" : "live, would fetch it";
    if (auto entry = position(who.region); entry != ranked.end() && std::isfinite(entry->ms)) {
      choice.expected_ms = entry->ms;
      choice.reason += entry->ms == 0    ? "; the client's own region"
                       : entry->measured ? "; round trip measured"
                                         : "; round trip estimated";
      choice.reason += entry->overloaded ? "; loaded" : "";
    }
    result.choices.push_back(std::move(choice));
  };
  add(node_->self, true, 0);
  auto view = node_->cluster.get();
  for (const auto& peer : view->peers)
    add(peer.identity, peer.usable(), peer.rtt_ms);
  auto rank = [&](const route_choice& c) {
    return std::make_tuple(!c.live, !c.holds, position(c.region) - ranked.begin(), c.node);
  };
  std::sort(result.choices.begin(), result.choices.end(),
            [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return result;
}

/// How loaded the regions of these sites say they are.
std::vector<region_condition> router_state::conditions_of(const std::vector<region_site>& sites) const {
  auto view = node_->cluster.get();
  std::vector<region_condition> conditions;
  for (const auto& site : sites) {
    auto peer = std::find_if(view->peers.begin(), view->peers.end(),
                             [&](const peer_view& one) { return one.identity.region == site.name; });
    auto own = site.name == node_->self.region;
    conditions.push_back({.load = own ? node_->pace.load() : peer == view->peers.end() ? 0 : peer->load});
  }
  return conditions;
}

/// Where the client of a question is, and a sentence that says how that is known.
std::pair<client_place, std::string> router_state::client_of(const get_route& request) const {
  if (request.has_place)
    return {{{}, place{request.latitude, request.longitude}}, "at the given place"};
  client_place own{node_->self.region, place{node_->self.latitude, node_->self.longitude}};
  auto address = ip_address::parse(request.ip);
  if (!address)
    return {std::move(own), "in the region of the node that was asked"};
  auto found = node_->places->find(*address);
  auto sentence = request.ip + ": " + node_->places->explain(found);
  if (!found.known())
    return {std::move(own), sentence + "; it is taken for a client of the node that was asked"};
  return {{std::move(found.region), found.at}, std::move(sentence)};
}

// -- how the cluster is

cluster_report router_state::cluster() const {
  const auto& c = node_->counters;
  auto now = node_->steady_ms();
  cluster_report report;
  report.self = node_->self.node;
  auto add = [&](const node_identity& who) -> node_report& {
    report.nodes.push_back({who.node, who.region, who.address, who.incarnation, who.latitude, who.longitude});
    return report.nodes.back();
  };
  auto& own = add(node_->self);
  own.state = peer_state::live;
  own.rtt_ms = 0;
  own.items = c.items;
  own.shadows = c.shadows;
  own.bytes = c.bytes;
  own.tombstones = c.tombstones;
  own.fresh = own.caught_up = node_->is_fresh();
  auto view = node_->cluster.get();
  for (const auto& peer : view->peers) {
    auto& line = add(peer.identity);
    line.state = peer.state;
    line.rtt_ms = peer.rtt_ms;
    line.items = peer.items;
    line.shadows = peer.shadows;
    line.bytes = peer.bytes;
    line.tombstones = peer.tombstones;
    line.silent_ms = peer.answered_ms > 0 ? now - peer.answered_ms : -1;
    line.fresh = peer.fresh;
    line.caught_up = peer.caught_up;
  }
  std::sort(report.nodes.begin(), report.nodes.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  if (auto lapsed = node_->lapsed_at_ms.load(); lapsed > 0)
    report.catching_up_ms = std::max<int64_t>(1, now - lapsed);
  report.repair = {c.repair_active, c.repair_checked, c.repair_repaired, c.repair_failed, c.repair_under_way};
  report.removed = node_->removed.get()->list();
  return report;
}

} // namespace gnomon
