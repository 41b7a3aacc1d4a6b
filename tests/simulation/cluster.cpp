#include "tests/simulation/cluster.hpp"

#include "actors/cluster_memory.hpp"
#include "actors/gate.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/node_tree.hpp"

namespace gnomon::simulation {

cluster::cluster(engine& on, uint64_t seed, size_t nodes, settings config, history& told)
    : engine_(on), dice_(seed), config_(std::move(config)), history_(told), network_(on, seed + 1, nodes),
      machines_(nodes) {
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
  auto store = m.storage->open();
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
  for (size_t i = 0; i < machines_.size(); ++i)
    way.seeds.push_back(address_of(static_cast<int>(i)));
  way.dialer = network_.dialer_of(node);
  if (auto memory = recall_cluster(*store)) {
    m.context->removed.set(memory->removed);
    way.known = memory->members;
  }
  engine_.set_latency(node, [&m] { return m.storage->draw_latency(); });
  engine_.as(node, [&] {
    m.root = caf::actor_cast<caf::actor>(engine_.system().spawn(supervisor, node_tree({m.context, {store}, way})));
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
  m.disturbed = engine_.now();
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
  engine_.freeze(node);
}

void cluster::thaw(int node) {
  auto& m = machine_of(node);
  if (!m.frozen)
    return;
  m.frozen = false;
  m.disturbed = engine_.now();
  engine_.thaw(node);
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

timestamp cluster::latest_clock() const {
  auto latest = timestamp{};
  for (auto& m : machines_)
    latest = std::max(latest, m.time->now());
  return latest;
}

} // namespace gnomon::simulation
