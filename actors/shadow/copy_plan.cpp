#include "actors/shadow/copy_plan.hpp"

#include <algorithm>

namespace gnomon {
namespace {

bool contains(const std::vector<std::string>& nodes, const std::string& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::vector<std::string> without(std::vector<std::string> nodes, const std::vector<std::string>& others) {
  std::erase_if(nodes, [&](const std::string& node) { return contains(others, node); });
  return nodes;
}

} // namespace

copy_plan plan_copies_of(const holder_map& holders, const place_copies& wish,
                         const std::function<bool(const std::string&)>& may_hold) {
  copy_plan plan;
  auto current = without(holders.current(), wish.away);
  auto missing_durable = static_cast<int64_t>(std::min(wish.min_copies, wish.factor))
                         - static_cast<int64_t>(without(holders.durable(), wish.away).size());
  for (const auto& node : current) {
    auto state = holders.state_of(node);
    auto promoted = missing_durable > 0 && state == holder_state::shadow;
    missing_durable -= promoted ? 1 : 0;
    plan.present.push_back(
        {node, promoted ? holder_state::durable : state, promoted || wish.lease.reason == lease_reason::request});
  }
  for (const auto& node : without(without(wish.candidates, wish.away), current))
    if (may_hold(node))
      plan.candidates.push_back(node);
  auto missing = static_cast<int64_t>(wish.factor) - static_cast<int64_t>(current.size());
  plan.falls_short = missing > static_cast<int64_t>(plan.candidates.size());
  for (; missing > 0 && plan.added.size() < plan.candidates.size(); --missing)
    plan.added.push_back(missing_durable-- > 0 ? holder_state::durable : holder_state::shadow);
  return plan;
}

} // namespace gnomon
