#include "tests/simulation/cluster.hpp"

#include "actors/cluster/cluster_memory.hpp"
#include "actors/cluster/gate.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/node/node_tree.hpp"

namespace gnomon::simulation {

cluster::cluster(engine& on, uint64_t seed, size_t nodes, settings config, history& told)
    : engine_(on), dice_(seed), config_(std::move(config)), history_(told), network_(on, seed + 1, nodes),
      machines_(nodes), seeds_(nodes) {
  for (size_t i = 0; i < nodes; ++i) {
    auto& m = machines_[i];
    m.storage = std::make_unique<disk>(static_cast<int>(i), dice_.draw(), told);
    m.storage->lies = config_.fault == deliberate_fault::skip_sync;
    m.time = std::make_shared<skewed_clock>(on);
  }
  told.watch(disks());
}

void cluster::boot(int node) {
  auto& m = machine_of(node);
  if (m.up)
    return;
  m.up = true;
  m.disturbed = engine_.now();
  m.away = {m.stopped, engine_.now()};
  auto stores = m.storage->open(config_.stores);
  auto& store = stores.front();
  node_identity self;
  self.cluster = "simulated";
  self.node = node_name(node);
  self.region = "region-" + std::to_string(node);
  self.address = address_of(node);
  self.incarnation = store->identity().incarnation;
  self.start = random_u64();
  history_.incarnation(node, self.incarnation);
  m.context = std::make_shared<node_context>(self, config_, m.time);
  m.context->holding_sequence = store->identity().start << 32;
  m.context->steady_ms = [this] { return std::chrono::duration_cast<duration>(engine_.now()).count() + 3'600'000; };
  membership_config way;
  for (size_t i = 0; i < seeds_; ++i)
    way.seeds.push_back(address_of(static_cast<int>(i)));
  way.dialer = network_.dialer_of(node);
  if (auto memory = recall_cluster(*store)) {
    m.context->removed.set(memory->removed);
    way.known = memory->members;
    way.met = memory->addresses;
  }
  engine_.set_latency(node, [&m] { return m.storage->draw_latency(); });
  engine_.as(node, [&] {
    m.root = caf::actor_cast<caf::actor>(engine_.system().spawn(supervisor, node_tree({m.context, stores, way})));
    network_.listen(node, self.address, m.context, engine_.system().spawn(gate, m.context));
  });
}

/// What the store was asked for may have reached the disk before the end, although nobody heard of it.
void cluster::crash(int node, bool power) {
  auto& m = machine_of(node);
  if (!m.up)
    return;
  if (m.frozen)
    thaw(node);
  network_.vanish(node, !power);
  if (dice_.chance(50))
    engine_.finish_stores(node);
  m.up = false;
  m.disturbed = m.stopped = engine_.now();
  engine_.kill(node);
  m.root = nullptr;
  m.context->handles.set({});
  m.context->cluster.set({});
  m.storage->crash();
}

void cluster::freeze(int node) {
  auto& m = machine_of(node);
  if (!m.up || m.frozen)
    return;
  m.frozen = true;
  m.stopped = engine_.now();
  engine_.freeze(node);
}

void cluster::thaw(int node) {
  auto& m = machine_of(node);
  if (!m.frozen)
    return;
  m.frozen = false;
  m.disturbed = engine_.now();
  if (engine_.now() - m.stopped > moment{config_.fresh_for})
    m.away = {m.stopped, engine_.now()};
  engine_.thaw(node);
}

moment cluster::calm_since(int node) const {
  auto& m = machine_of(node);
  return up(node) && !frozen(node) && m.storage->works() ? std::max(m.disturbed, m.disk_disturbed) : moment::max();
}

moment cluster::reaches_all_since(int node) const {
  auto since = calm_since(node);
  for (int other = 0; other < static_cast<int>(machines_.size()); ++other)
    if (other != node)
      since = std::max(since, network_.whole_since(node, other));
  return since;
}

bool cluster::gave_up(int node) const {
  auto& m = machine_of(node);
  return m.up && caf::actor_cast<caf::abstract_actor*>(m.root)->getf(caf::abstract_actor::is_terminated_flag);
}

router_actor cluster::router_of(int node) const {
  auto& m = machine_of(node);
  return m.up ? m.context->handles.get()->router : router_actor{};
}

std::vector<disk*> cluster::disks() {
  std::vector<disk*> all;
  for (auto& m : machines_)
    all.push_back(m.storage.get());
  return all;
}

timestamp cluster::earliest_clock() const {
  auto earliest = timestamp::max();
  for (auto& m : machines_)
    earliest = std::min(earliest, m.time->now());
  return earliest;
}

timestamp cluster::latest_clock() {
  for (auto& m : machines_)
    latest_ = std::max(latest_, m.time->now());
  return latest_;
}

} // namespace gnomon::simulation
