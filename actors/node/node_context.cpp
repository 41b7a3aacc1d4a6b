#include "actors/node/node_context.hpp"

#include <algorithm>

namespace gnomon {

const peer_view* cluster_view::find(std::string_view node) const {
  auto i = std::lower_bound(peers.begin(), peers.end(), node,
                            [](const peer_view& p, std::string_view name) { return p.identity.node < name; });
  return i != peers.end() && i->identity.node == node ? &*i : nullptr;
}

const peer_view* cluster_view::reachable(std::string_view node) const {
  auto peer = find(node);
  return peer && peer->usable() && peer->link ? peer : nullptr;
}

std::vector<const peer_view*> cluster_view::by_latency() const {
  std::vector<const peer_view*> usable;
  for (auto& p : peers)
    if (p.usable())
      usable.push_back(&p);
  // Stable, so that equals stay in the order of their names; what was never measured comes last.
  std::stable_sort(usable.begin(), usable.end(), [](auto a, auto b) {
    if (a->state != b->state)
      return a->state == peer_state::live;
    return (a->rtt_ms < 0) != (b->rtt_ms < 0) ? b->rtt_ms < 0 : a->rtt_ms < b->rtt_ms;
  });
  return usable;
}

std::vector<std::string> cluster_view::names() const {
  std::vector<std::string> all;
  for (const auto& p : peers)
    all.push_back(p.identity.node);
  return all;
}

bool node_context::is_fresh() const {
  return steady_ms() < fresh_until_ms.load();
}

bool node_context::knows_slice(size_t slice) const {
  auto age = config.catalog_age.count();
  if (config.fault == deliberate_fault::absent_by_old_catalog)
    age *= 100;
  return age > 0 && steady_ms() - age < slices.known_at(slice) && is_fresh() && counters.rules_known
         && lost.get()->empty(); // else what lay in a damaged part of the store is said to be lost
}

bool node_context::is_removed(const std::string& node) const {
  return removed.get()->names(node) && cluster.get()->find(node) == nullptr && node != self.node;
}

caf::error node_context::still_starting() const {
  return make_error(ec::unavailable, "region " + self.region + " is starting; try again");
}

caf::error node_context::kept_away() const {
  return make_error(ec::forbidden_region, "a residency rule keeps the item away from region " + self.region
                                              + "; try again at a region that may have it");
}

caf::error node_context::kept_away_from(const std::string& node) {
  return make_error(ec::forbidden_region, "a residency rule keeps the item away from node " + node);
}

} // namespace gnomon
