#include "runtime/node/node_tree.hpp"

#include "actors/feed/feed.hpp"
#include "actors/node/pulse.hpp"
#include "actors/prediction/predictor.hpp"
#include "actors/prediction/prefetcher.hpp"
#include "actors/prediction/state_file.hpp"
#include "actors/prediction/trainer.hpp"
#include "actors/region/agent.hpp"
#include "actors/region/region.hpp"
#include "actors/region/router.hpp"
#include "actors/repair/anti_entropy.hpp"
#include "actors/repair/repair.hpp"
#include "actors/shadow/collector.hpp"
#include "actors/shadow/shard.hpp"
#include "actors/shadow/store.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon {

namespace {

/// A child whose start spawns an actor with `spawn` and publishes it with `publish`.
template <class Spawn, class Publish>
child_spec child(std::string name, std::string_view rule, const context_ptr& node, Spawn spawn, Publish publish) {
  return {std::move(name), &restart_rule_of(rule), [=](caf::actor_system& system) {
            auto handle = spawn(system);
            node->handles.update([&](node_handles& handles) { publish(handles, handle); });
            return caf::actor_cast<caf::actor>(handle);
          }};
}

child_spec store_child(const context_ptr& node, const std::shared_ptr<kv_store>& database, size_t index) {
  auto spawn = [=](caf::actor_system& system) -> store_actor {
    if (node->config.detach_blocking)
      return system.spawn<caf::detached>(store, node, database);
    return system.spawn(store, node, database);
  };
  return child(fmt::format("store {}", index), "store", node, spawn,
               [=](node_handles& handles, const store_actor& handle) { handles.stores[index] = handle; });
}

child_spec shard_child(const context_ptr& node, size_t index) {
  return child(
      fmt::format("shard {}", index), "shard", node,
      [=](caf::actor_system& system) { return system.spawn(shard, node, index); },
      [=](node_handles& handles, const shard_actor& handle) { handles.shards[index] = handle; });
}

supervisor_config region_tree(const context_ptr& node) {
  supervisor_config config{"region tree", {}};
  for (size_t i = 0; i < shard_count; ++i)
    config.children.push_back(shard_child(node, i));
  config.children.push_back(child(
      "anti-entropy", "anti-entropy", node, [=](caf::actor_system& system) { return system.spawn(anti_entropy, node); },
      [](node_handles& handles, const anti_entropy_actor& handle) { handles.anti_entropy = handle; }));
  config.children.push_back(child(
      "region", "region", node, [=](caf::actor_system& system) { return system.spawn(region, node); },
      [](node_handles& handles, const region_actor& handle) { handles.region = handle; }));
  return config;
}

child_spec region_tree_child(const context_ptr& node) {
  return {"region tree", &restart_rule_of("region tree"), [=](caf::actor_system& system) {
            return caf::actor_cast<caf::actor>(system.spawn(supervisor, region_tree(node)));
          }};
}

} // namespace

supervisor_config node_tree(const node_parts& parts) {
  const auto& node = parts.node;
  node->handles.update([&](node_handles& handles) {
    handles.stores.resize(parts.stores.size());
    handles.shards.resize(shard_count);
  });
  supervisor_config config{"node", {}};
  auto add = [&](child_spec spec) { config.children.push_back(std::move(spec)); };
  for (size_t i = 0; i < parts.stores.size(); ++i)
    add(store_child(node, parts.stores[i], i));
  add(child(
      "membership", "membership", node,
      [=, how = parts.membership](caf::actor_system& system) { return system.spawn(membership, node, how); },
      [](node_handles& handles, const membership_actor& handle) { handles.membership = handle; }));
  add(region_tree_child(node));
  if (node->config.predict) {
    add(child(
        "trainer", "trainer", node, [=](caf::actor_system& system) { return system.spawn(trainer, node); },
        [](node_handles& handles, const trainer_actor& handle) { handles.trainer = handle; }));
    add(child(
        "prefetcher", "prefetcher", node, [=](caf::actor_system& system) { return system.spawn(prefetcher, node); },
        [](node_handles& handles, const prefetcher_actor& handle) { handles.prefetcher = handle; }));
    add(child(
        "predictor", "predictor", node, [=](caf::actor_system& system) { return system.spawn(predictor, node); },
        [](node_handles& handles, const predictor_actor& handle) { handles.predictor = handle; }));
  } else {
    drop_state(node->config);
  }
  add(child(
      "agent", "agent", node, [=](caf::actor_system& system) { return system.spawn(agent, node); },
      [](node_handles& handles, const agent_actor& handle) { handles.agent = handle; }));
  add(child(
      "collector", "collector", node, [=](caf::actor_system& system) { return system.spawn(collector, node); },
      [](node_handles& handles, const collector_actor& handle) { handles.collector = handle; }));
  add(child(
      "repair", "repair", node, [=](caf::actor_system& system) { return system.spawn(repair, node); },
      [](node_handles& handles, const repair_actor& handle) { handles.repair = handle; }));
  add(child(
      "feed", "feed", node, [=](caf::actor_system& system) { return system.spawn(feed, node); },
      [](node_handles& handles, const feed_actor& handle) { handles.feed = handle; }));
  add(child(
      "router", "router", node, [=](caf::actor_system& system) { return system.spawn(router, node); },
      [](node_handles& handles, const router_actor& handle) { handles.router = handle; }));
  add({"pulse", &restart_rule_of("pulse"),
       [=](caf::actor_system& system) { return caf::actor_cast<caf::actor>(system.spawn(pulse, node)); }});
  return config;
}

} // namespace gnomon
