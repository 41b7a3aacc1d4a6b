// What all parts of a shadow use.
#include "actors/shadow/shadow_part.hpp"
#include "actors/shadow/shadow.hpp"

#include <algorithm>

namespace gnomon {

bool shadow_part::is_behind() const {
  return visible() && !visible()->versions.context.covers(core_.behind);
}

bool shadow_part::counts() const {
  return item().role() == holder_state::durable || item().record().pinned;
}

std::vector<std::string> shadow_part::others() const {
  auto all = item().record().holders.current();
  std::erase(all, this_node().self.node);
  return all;
}

// -- rules

policy shadow_part::rules() const {
  return this_node().policy_of(item().record().id, item().versions());
}

bool shadow_part::may_hold(const std::string& node) const {
  return may_hold(node, item().versions());
}

bool shadow_part::may_hold(const std::string& node, const version_set& versions) const {
  auto there = this_node().policy_of(item().record().id, versions);
  if (node == this_node().self.node)
    return there.allows(this_node().self.region);
  auto view = this_node().cluster.get();
  auto peer = view->find(node);
  return peer && there.allows(peer->identity.region);
}

/// Looks again: an earlier check did not know what the versions' users allow, and the rules may have changed since.
bool shadow_part::may_take(const version_set& versions) const {
  return this_node().config.fault == deliberate_fault::ignore_new_residency
         || (may_hold(this_node().self.node) && may_hold(this_node().self.node, versions));
}

bool shadow_part::is_forbidden(const std::string& node, const version_set& versions) const {
  return this_node().cluster.get()->find(node) && !may_hold(node, versions);
}

// -- changes

void shadow_part::persist(std::function<void()> after) {
  shadow().persist(std::move(after));
}

bool shadow_part::take_in(const item_copy& copy) {
  for (const auto& s : copy.versions.siblings)
    core_.stamps.observe(s.stamp);
  return item().merge(copy, rules().conflicts);
}

} // namespace gnomon
