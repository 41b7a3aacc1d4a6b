// What those who run a cluster do to it: rules that change, snapshots, nodes that come and go.
#include "tests/simulation/faults.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::simulation {

namespace {

constexpr auto moving_rules = true;       // residency changes while the cluster runs
constexpr auto changing_conflicts = true; // so does the way in which conflicts are resolved

} // namespace

void faults::change_policy(int node) {
  auto router = cluster_.router_of(node);
  if (!router)
    return;
  auto rule = draw_rule();
  tell(fmt::format("policy for {} '{}' at {}: {}", gnomon::name(rule.scope), rule.name, node_name(node),
                   rule.text.empty() ? "none" : rule.text));
  engine_.asker()->request(router, caf::infinite, rule).then([](const policy_list&) {}, [](const caf::error&) {});
  if (rule.text.find("residency") != std::string::npos) // what is under way when the rule arrives must not outlive it
    clients_.crowd(rule.scope == policy_scope::type ? rule.name : "plain/");
}

/// Of every scope. The items of type `fickle` change the way in which their conflicts are resolved, those of type
/// `moved` the regions that may keep them.
put_policy faults::draw_rule() {
  auto copies = [&] { return fmt::format(R"({{"factor": {}, "min_copies": 2}})", dice_.between(2, 5)); };
  auto ttl = [&] { return fmt::format(R"({{"ttl": {}}})", dice_.between(10, 60)); };
  auto residency = [&] { // two regions are in all of them, so that several rules leave an item its place
    return fmt::format(R"({{"residency": ["region-0", "region-1", "region-{}"]}})", dice_.between(2, 4));
  };
  auto newest = history_.operations().size();
  auto copies_or_ttl = [&] { return dice_.chance(50) ? copies() : ttl(); };
  switch (dice_.below(moving_rules || fault_ == deliberate_fault::ignore_new_residency ? 9 : 6)) {
  case 8:
  case 7:
    return {policy_scope::type, "moved", dice_.chance(20) ? "" : residency()};
  case 6:
    return {policy_scope::user, fmt::format("u{}", newest - std::min<size_t>(newest, 20) + dice_.below(40)),
            residency()};
  case 0:
    return {policy_scope::fallback, {}, dice_.chance(30) ? "" : ttl()};
  case 1:
    if (!changing_conflicts)
      return {policy_scope::item, dice_.one_of(clients_.ids()), ttl()};
    return {policy_scope::type, "fickle",
            dice_.chance(50) ? R"({"conflicts": "lww"})" : R"({"conflicts": "siblings"})"};
  case 2:
    return {policy_scope::item, dice_.one_of(clients_.ids()), dice_.chance(30) ? "" : copies_or_ttl()};
  case 3:
    return {policy_scope::user, fmt::format("u{}", dice_.below(history_.operations().size() + 20)), ttl()};
  default:
    return {policy_scope::type, "plain", copies_or_ttl()};
  }
}

/// What a client keeps of all items that some node has, deleted ones as well.
void faults::save_snapshot(int node) {
  auto router = cluster_.router_of(node);
  if (!router)
    return;
  tell("a snapshot is saved at " + node_name(node));
  snapshot_.clear();
  for (const auto& id : clients_.ids())
    engine_.asker()
        ->request(router, caf::infinite, fetch_item{id, {}})
        .then([this](const item_copy& copy) { snapshot_.push_back(copy); }, [](const caf::error&) {});
}

void faults::load_snapshot(int node) {
  auto router = cluster_.router_of(node);
  if (!router || snapshot_.empty())
    return save_snapshot(node);
  tell("a snapshot is loaded at " + node_name(node));
  for (const auto& copy : snapshot_) {
    history_.item_loads(copy.id);
    engine_.asker()
        ->request(router, caf::infinite, load_item{copy, false})
        .then([](const load_receipt&) {}, [](const caf::error&) {});
  }
}

/// A node is out for good, by the word of another one, and comes back with an empty disk as one that is new.
void faults::remove(int node) {
  auto by = static_cast<int>(dice_.below(cluster_.size()));
  auto router = cluster_.router_of(by);
  if (by == node || !router || cluster_.frozen(by))
    return;
  tell(fmt::format("{} removes {}", node_name(by), node_name(node)));
  history_.node_removed(node);
  if (dice_.chance(60) && cluster_.up(node))
    stop(node, true);
  engine_.asker()
      ->request(router, caf::infinite, remove_node{node_name(node), true})
      .then([](const node_removal&) {}, [](const caf::error&) {});
  engine_.after(seconds(1, 5), [this, node] {
    stop(node, true);
    history_.disk_changes(node);
    cluster_.disk_of(node).lose(false);
    history_.disk_changed(node);
    start_after(node, seconds(5, 40));
  });
}

/// A model that knows nothing has copies made ahead.
void faults::guess() {
  auto node = static_cast<int>(dice_.below(cluster_.size()));
  auto& context = cluster_.context_of(node);
  if (!cluster_.router_of(node))
    return;
  prefetch_wishes wishes;
  for (auto n = dice_.between(1, 6); n > 0; --n)
    wishes.wishes.push_back({dice_.one_of(clients_.ids()), static_cast<double>(dice_.below(100)) / 100});
  if (auto prefetcher = context->handles.get()->prefetcher)
    engine_.asker()->send(prefetcher, wishes);
}

} // namespace gnomon::simulation
