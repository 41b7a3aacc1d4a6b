#include "actors/node/copy_economy.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon {

namespace {

constexpr double few_updates_s = 3600;       // so that one update just after the copy was made does not count as many
constexpr double unknown_ms = 100;           // round trip to a holder that was not measured yet
constexpr double least_s = 1;                // of a lifetime
constexpr double most_s = 10 * 365 * 86'400; // as for a fixed one

/// The holder that answers in the copy's place; null when none is usable.
const peer_view* nearest_of(const cluster_view& view, const std::vector<std::string>& nodes) {
  for (const auto* peer : view.by_latency())
    if (std::find(nodes.begin(), nodes.end(), peer->identity.node) != nodes.end())
      return peer;
  return nullptr;
}

/// What sends the value here.
const learning::region_price& price_at(const node_context& node, const peer_view* giver) {
  return node.config.prices.of(giver != nullptr ? giver->identity.region : std::string{});
}

/// Copies of one worth draw their trust differently, and one copy draws anew with each read.
double draw_of(const copy_facts& copy) {
  return static_cast<double>(stable_hash(copy.id, copy.reads) >> 11) * 0x1p-53;
}

learning::gap_kind kind_of(const copy_facts& copy) {
  auto reads = static_cast<uint32_t>(std::min<uint64_t>(copy.reads, UINT32_MAX));
  auto pace_s = reads > 0 ? std::max(1.0, (copy.age_s - copy.idle_s) / reads) : 0.0;
  return {.type = data_type(copy.id), .bytes = copy.bytes, .reads = reads, .pace_s = pace_s};
}

duration duration_from(double seconds) {
  return duration{std::llround(std::clamp(seconds, least_s, most_s) * 1000)};
}

} // namespace

learning::copy_costs costs_of(const node_context& node, const copy_facts& copy) {
  auto view = node.cluster.get();
  auto giver = nearest_of(*view, copy.others);
  auto bytes = static_cast<double>(copy.bytes);
  auto refreshed = copy.cost_bytes > copy.bytes ? static_cast<double>(copy.cost_bytes - copy.bytes) : 0;
  auto wait_ms = giver != nullptr && giver->rtt_ms >= 0 ? giver->rtt_ms : unknown_ms;
  return {.hold_usd_per_s = node.config.prices.of(node.self.region).hold_usd_per_s(bytes),
          .update_usd_per_s = price_at(node, giver).move_usd(refreshed) / (copy.age_s + few_updates_s),
          .miss_usd = price_at(node, giver).move_usd(bytes) + node.config.usd_per_ms * wait_ms};
}

learning::copy_costs costs_of_making(const node_context& node, const copy_facts& copy) {
  auto costs = costs_of(node, copy);
  auto view = node.cluster.get();
  costs.make_usd = price_at(node, nearest_of(*view, copy.others)).move_usd(static_cast<double>(copy.bytes));
  return costs;
}

learning::lifetime lifetime_of(const node_context& node, const copy_facts& copy) {
  return node.lifetimes.get()->keep(kind_of(copy), costs_of(node, copy), draw_of(copy));
}

duration duration_of(const learning::lifetime& life) {
  return duration_from(life.keep_s);
}

duration extended_lifetime_of(const node_context& node, const copy_facts& copy) {
  auto more = node.lifetimes.get()->extend(kind_of(copy), costs_of(node, copy), copy.idle_s, draw_of(copy));
  return duration_from(copy.idle_s + more);
}

copy_balance balance_of(const node_context& node, const copy_facts& copy, uint64_t saved_ms) {
  auto view = node.cluster.get();
  const auto& from = price_at(node, nearest_of(*view, copy.others));
  auto bytes = static_cast<double>(copy.bytes);
  return {.spent_usd = from.move_usd(static_cast<double>(copy.cost_bytes))
                       + node.config.prices.of(node.self.region).hold_usd_per_s(bytes) * std::max(0.0, copy.age_s),
          .saved_usd = static_cast<double>(copy.reads) * from.move_usd(bytes)
                       + node.config.usd_per_ms * static_cast<double>(saved_ms)};
}

} // namespace gnomon
