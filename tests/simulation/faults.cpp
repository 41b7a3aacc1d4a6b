#include "tests/simulation/faults.hpp"

#include "storage/keys.hpp"

#include <spdlog/fmt/fmt.h>

#include <numeric>

namespace gnomon::simulation {

faults::faults(engine& on, uint64_t seed, cluster& of, clients& who, history& told, deliberate_fault fault)
    : engine_(on), dice_(seed), cluster_(of), clients_(who), history_(told), fault_(fault) {}

void faults::strike() {
  using kind = void (faults::*)(int);
  struct weighted {
    uint64_t weight;
    kind what;
  };
  static constexpr weighted kinds[] = {
      {16, &faults::crash},        {3, &faults::lose_disk},    {3, &faults::restore},
      {12, &faults::isolate},      {10, &faults::cut_one_way}, {6, &faults::reset},
      {10, &faults::freeze},       {6, &faults::fail_writes},  {3, &faults::fail_reads},
      {5, &faults::damage},        {8, &faults::slow_disk},    {6, &faults::skew},
      {8, &faults::change_policy}, {6, &faults::fail_part},    {2, &faults::save_snapshot},
      {3, &faults::load_snapshot}, {3, &faults::remove},       {6, &faults::come_back_alone},
  };
  constexpr auto all = std::accumulate(std::begin(kinds), std::end(kinds), uint64_t{0},
                                       [](uint64_t sum, const weighted& kind) { return sum + kind.weight; });
  auto node = static_cast<int>(dice_.below(cluster_.size()));
  auto roll = dice_.below(18 + all);
  if (roll < 10)
    return split();
  if (roll < 18)
    return lossy();
  roll -= 18;
  for (auto& [weight, what] : kinds) {
    if (roll < weight)
      return (this->*what)(node);
    roll -= weight;
  }
}

void faults::tell(std::string line) {
  history_.tell({}, "** " + std::move(line));
}

// -- processes -------------------------------------------------------------------------------------------------------

void faults::stop(int node, bool power) {
  clients_.node_crashed(node);
  cluster_.crash(node, power);
}

void faults::start_after(int node, moment pause) {
  engine_.after(pause, [this, node] {
    if (cluster_.up(node))
      return;
    tell(node_name(node) + " starts");
    cluster_.boot(node);
  });
}

void faults::crash(int node) {
  if (!cluster_.up(node))
    return;
  auto power = dice_.chance(40);
  tell(fmt::format("{} {}", node_name(node), power ? "loses power" : "is killed"));
  stop(node, power);
  start_after(node, dice_.chance(50) ? seconds(1, 5) : seconds(5, 40));
}

void faults::lose_disk(int node) {
  tell(node_name(node) + " loses its disk");
  stop(node, dice_.chance(50));
  history_.disk_changes(node);
  cluster_.disk_of(node).lose(fault_ == deliberate_fault::reuse_dot_after_lost_disk);
  history_.disk_changed(node);
  auto pause = seconds(2, 30);
  start_after(node, pause);
  if (fault_ == deliberate_fault::reuse_dot_after_lost_disk) // once it knows what others have, it goes on behind that
    engine_.after(pause + moment{100'000}, [this, node] { clients_.node_came_back(node); });
}

/// An item that was reaped since comes back with a backup that has it, and nobody is left who could tell: such items
/// are left out.
void faults::restore(int node) {
  auto older = images_.find(node);
  if (older == images_.end())
    return;
  tell(node_name(node) + " is put back to an older state of its disk");
  stop(node, dice_.chance(50));
  auto content = older->second.content;
  std::erase_if(content, [&](const auto& entry) {
    auto record = keys::record_id(entry.first);
    auto value = keys::parse_value(entry.first);
    auto due = keys::parse_expiry(entry.first);
    auto id = record ? *record : value ? value->id : due ? due->id : std::string{};
    return history_.reaped(id) >= older->second.taken;
  });
  history_.disk_changes(node);
  cluster_.disk_of(node).restore(content, fault_ == deliberate_fault::reuse_dot_after_snapshot);
  history_.disk_changed(node);
  start_after(node, seconds(2, 30));
}

void faults::take_images() {
  for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
    if (dice_.chance(50))
      images_[node] = {engine_.now(), cluster_.disk_of(node).kept()};
}

void faults::look_after() {
  for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
    if (cluster_.gave_up(node)) {
      tell(node_name(node) + " has ended by itself");
      stop(node, false);
      start_after(node, seconds(2, 6));
    }
}

void faults::freeze(int node) {
  if (!cluster_.up(node) || cluster_.frozen(node))
    return;
  tell(node_name(node) + " freezes");
  cluster_.freeze(node);
  engine_.after(dice_.chance(50) ? seconds(1, 4) : seconds(4, 30), [this, node] {
    if (!cluster_.frozen(node))
      return;
    tell(node_name(node) + " thaws");
    cluster_.thaw(node);
    clients_.node_woke(node);
  });
}

/// A node that comes back is the only one that another node reaches, before it has heard what it missed.
void faults::come_back_alone(int node) {
  auto size = static_cast<int>(cluster_.size());
  auto reader = (node + 1 + static_cast<int>(dice_.below(cluster_.size() - 1))) % size;
  if (!cluster_.up(node) || cluster_.frozen(node))
    return;
  tell(fmt::format("{} freezes, and {} will reach nobody else", node_name(node), node_name(reader)));
  cluster_.freeze(node);
  engine_.after(seconds(1, 3), [=, this] {
    for (int other = 0; other < size; ++other)
      if (other != node && other != reader && cluster_.up(other))
        return clients_.keep_busy(other);
  });
  engine_.after(seconds(8, 12), [=, this] {
    for (int other = 0; other < size; ++other)
      if (other != node && other != reader) {
        cut_both(reader, other);
        engine_.after(moment{4'000'000}, [=, this] { mend_both(reader, other); });
      }
    tell(node_name(node) + " thaws");
    cluster_.thaw(node);
    clients_.ask_often(reader);
  });
}

// -- the network -----------------------------------------------------------------------------------------------------

void faults::isolate(int node) {
  tell(node_name(node) + " is cut off");
  if (dice_.chance(20) && cluster_.router_of(node) && !cluster_.frozen(node)) {
    tell("meanwhile its region actor fails, and it is busy");
    fail(node, cluster_.context_of(node)->handles.get()->region);
    clients_.keep_busy(node);
  }
  auto pause = seconds(2, 60);
  for (int other = 0; other < static_cast<int>(cluster_.size()); ++other)
    if (other != node) {
      cluster_.net().cut(node, other);
      cluster_.net().cut(other, node);
      engine_.after(pause, [=, this] {
        cluster_.net().mend(node, other);
        cluster_.net().mend(other, node);
      });
    }
  engine_.after(pause, [=, this] { tell(node_name(node) + " is reachable again"); });
}

void faults::split() {
  auto side = dice_.between(1, (1u << cluster_.size()) - 2);
  auto pause = seconds(2, 60);
  std::string names;
  for (int a = 0; a < static_cast<int>(cluster_.size()); ++a) {
    if (side >> a & 1)
      names += " " + node_name(a);
    for (int b = 0; b < static_cast<int>(cluster_.size()); ++b)
      if ((side >> a & 1) != (side >> b & 1)) {
        cluster_.net().cut(a, b);
        engine_.after(pause, [=, this] { cluster_.net().mend(a, b); });
      }
  }
  tell("cut off from the others:" + names);
  engine_.after(pause, [=, this] { tell("joined with the others:" + names); });
}

void faults::cut_one_way(int node) {
  auto other = static_cast<int>(dice_.below(cluster_.size()));
  if (other == node)
    return;
  tell(fmt::format("nothing reaches {} from {}", node_name(other), node_name(node)));
  cluster_.net().cut(node, other);
  engine_.after(seconds(2, 50), [=, this] {
    tell(fmt::format("{} is reached from {} again", node_name(other), node_name(node)));
    cluster_.net().mend(node, other);
  });
}

void faults::reset(int node) {
  tell("connections of " + node_name(node) + " break");
  for (int other = 0; other < static_cast<int>(cluster_.size()); ++other)
    if (other != node && dice_.chance(60))
      cluster_.net().reset(node, other);
}

void faults::lossy() {
  tell("the network loses packets");
  cluster_.net().weather(25, moment{300'000});
  engine_.after(seconds(5, 40), [this] { cluster_.net().weather(network::usual_loss, network::usual_jitter); });
}

// -- disks and clocks ------------------------------------------------------------------------------------------------

void faults::fail_writes(int node) {
  tell("the disk of " + node_name(node) + " fails writes");
  cluster_.disk_of(node).fails_writes = true;
  cluster_.disk_disturbed(node);
  engine_.after(seconds(1, 12), [=, this] {
    tell("the disk of " + node_name(node) + " takes writes again");
    cluster_.disk_of(node).fails_writes = false;
    cluster_.disk_disturbed(node);
  });
}

void faults::fail_reads(int node) {
  tell("the disk of " + node_name(node) + " fails reads");
  cluster_.disk_of(node).fails_reads = true;
  cluster_.disk_disturbed(node);
  engine_.after(seconds(1, 5), [=, this] {
    tell("the disk of " + node_name(node) + " can be read again");
    cluster_.disk_of(node).fails_reads = false;
    cluster_.disk_disturbed(node);
  });
}

/// Blocks of the disk turn bad under one item. That of a tombstone stays whole: who alone knew of a delete cannot tell.
void faults::damage(int node) {
  const auto& records = cluster_.disk_of(node).records();
  if (records.empty())
    return;
  auto hit = std::next(records.begin(), static_cast<ptrdiff_t>(dice_.below(records.size())));
  auto id = hit->first;
  if (hit->second->versions.deleted())
    return;
  auto record_too = dice_.chance(50);
  history_.disk_changes(node);
  history_.item_damaged(node, id, record_too);
  cluster_.disk_of(node).damage(id, record_too);
  history_.tell(id, fmt::format("** the {} at {} is damaged", record_too ? "record" : "values", node_name(node)));
  history_.disk_changed(node);
}

void faults::slow_disk(int node) {
  tell("the disk of " + node_name(node) + " is slow");
  cluster_.disk_of(node).latency = dice_.between(moment{100'000}, moment{1'500'000});
  cluster_.disk_disturbed(node);
  engine_.after(seconds(3, 30), [=, this] {
    tell("the disk of " + node_name(node) + " is fast again");
    cluster_.disk_of(node).latency = disk::usual_latency;
    cluster_.disk_disturbed(node);
  });
}

void faults::skew(int node) {
  constexpr int64_t hours = 12 * 3'600'000;
  auto most = dice_.chance(20) ? hours : int64_t{5'000};
  cluster_.latest_clock(); // what has ended by the clock as it was stays so
  auto by = duration{static_cast<int64_t>(dice_.below(static_cast<uint64_t>(2 * most))) - most};
  tell(fmt::format("the clock of {} is {} ms off", node_name(node), by.count()));
  cluster_.clock_of(node).skew = by;
}

/// An actor of the node fails, and its supervisor sees to it.
void faults::fail_part(int node) {
  if (!cluster_.router_of(node) || cluster_.frozen(node))
    return;
  auto handles = cluster_.context_of(node)->handles.get();
  static const std::vector<std::string> single{"agent",  "anti-entropy", "collector", "predictor", "prefetcher",
                                               "region", "repair",       "router",    "store",     "trainer"};
  tell("a part of " + node_name(node) + " fails");
  cluster_.disturb(node);
  switch (dice_.below(6)) {
  case 0:
    return fail(node, handles->membership);
  case 1:
    if (auto view = cluster_.context_of(node)->cluster.get(); !view->peers.empty())
      return fail(node, dice_.one_of(view->peers).link);
    [[fallthrough]];
  case 2:
    return fail(node, handles->region);
  case 3:
    return void(engine_.fail_one(node, {"shadow"}, dice_) || engine_.fail_one(node, {"shard"}, dice_));
  default:
    engine_.fail_one(node, single, dice_);
  }
}

void faults::heal() {
  tell("everything heals");
  cluster_.net().heal();
  cluster_.net().weather(network::usual_loss, network::usual_jitter);
  for (int node = 0; node < static_cast<int>(cluster_.size()); ++node) {
    auto& storage = cluster_.disk_of(node);
    storage.fails_reads = storage.fails_writes = false;
    cluster_.latest_clock();
    cluster_.clock_of(node).skew %= 5s;
    storage.latency = disk::usual_latency;
    cluster_.disk_disturbed(node);
    cluster_.thaw(node);
    cluster_.boot(node);
  }
}

} // namespace gnomon::simulation
