#pragma once

#include "tests/simulation/history.hpp"
#include "tests/simulation/network.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gnomon::simulation {

/// A node's own clock: the simulated time and an error.
class skewed_clock final : public clock {
public:
  explicit skewed_clock(const engine& on) : engine_(on) {}
  timestamp now() const override {
    return timestamp{std::chrono::hours{24 * 365 * 50}} + std::chrono::duration_cast<duration>(engine_.now()) + skew;
  }
  duration skew{0};

private:
  const engine& engine_;
};

/// Five (or so) nodes with the supervision tree of a real one, on simulated disks, network and time.
class cluster {
public:
  cluster(engine& on, uint64_t seed, size_t nodes, settings config, history& told);

  size_t size() const {
    return machines_.size();
  }
  /// Starts the node's process, if it has none.
  void boot(int node);
  /// The last node joins later: no config names it among the seeds.
  void last_is_no_seed() {
    seeds_ = machines_.size() - 1;
  }
  /// Kills the process: with `power` the machine as well, so that nobody is told.
  void crash(int node, bool power);
  void freeze(int node);
  void thaw(int node);
  bool up(int node) const {
    return machine_of(node).up;
  }
  bool frozen(int node) const {
    return machine_of(node).frozen;
  }
  /// True when the process has ended by itself, as it does when its supervisors give up.
  bool gave_up(int node) const;
  /// Up, not frozen, and so ever since.
  bool undisturbed_since(int node, moment since) const {
    return up(node) && !frozen(node) && machine_of(node).disturbed < since;
  }
  /// Since when the node has been running on a disk that works; `moment::max()`: it is not.
  moment calm_since(int node) const;
  /// Since when nothing has kept the two nodes from telling each other all they know; `moment::max()`: something does.
  moment whole_since(int a, int b) const {
    return std::max({calm_since(a), calm_since(b), network_.whole_since(a, b)});
  }
  /// Since when nothing on the way has kept the node from reaching every other one.
  moment reaches_all_since(int node) const;
  /// Since when nothing has kept the node from telling the other one, whatever became of that one.
  moment reaches_since(int node, int other) const {
    return std::max(calm_since(node), network_.whole_since(node, other));
  }
  /// The last time for which the node was not running, if that was longer than it may count as fresh.
  absence last_absence(int node) const {
    return machine_of(node).away;
  }
  /// Something happened to the node that it survives.
  void disturb(int node) {
    machine_of(node).disturbed = engine_.now();
  }
  /// Something happened to the node's disk.
  void disk_disturbed(int node) {
    machine_of(node).disk_disturbed = engine_.now();
  }
  disk& disk_of(int node) {
    return *machine_of(node).storage;
  }
  skewed_clock& clock_of(int node) {
    return *machine_of(node).time;
  }
  network& net() {
    return network_;
  }
  const network& net() const {
    return network_;
  }
  const context_ptr& context_of(int node) const {
    return machine_of(node).context;
  }
  /// The node's front door; null while it is down or starting.
  router_actor router_of(int node) const;
  std::vector<disk*> disks();
  /// The latest time that any node's clock has shown so far.
  timestamp latest_clock();
  timestamp earliest_clock() const;

private:
  struct machine {
    std::unique_ptr<disk> storage;
    std::shared_ptr<skewed_clock> time;
    context_ptr context;
    caf::actor root; // lives as long as someone holds it
    bool up = false;
    bool frozen = false;
    moment disturbed{-1};
    moment disk_disturbed{-1};
    moment stopped{0};
    absence away;
  };
  machine& machine_of(int node) {
    return machines_[static_cast<size_t>(node)];
  }
  const machine& machine_of(int node) const {
    return machines_[static_cast<size_t>(node)];
  }
  std::string address_of(int node) const {
    return node_name(node) + ":7000";
  }

  engine& engine_;
  dice dice_;
  settings config_;
  history& history_;
  network network_;
  std::vector<machine> machines_;
  size_t seeds_; // the first nodes, which all configs name
  timestamp latest_{};
};

} // namespace gnomon::simulation
