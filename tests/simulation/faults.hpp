#pragma once

#include "tests/simulation/clients.hpp"

#include <map>
#include <vector>

namespace gnomon::simulation {

/// What goes wrong in a run: drawn from the seed, one fault at a time, each with its own end; many overlap.
class faults {
public:
  faults(engine& on, uint64_t seed, cluster& of, clients& who, history& told, deliberate_fault fault);

  /// Something goes wrong now.
  void strike();
  /// Everything works from now on, but what was lost stays lost.
  void heal();
  /// A model guesses at random what will be read.
  void guess();
  /// Keeps an image of every disk, as a backup does.
  void take_images();
  /// Starts processes anew that ended by themselves.
  void look_after();

private:
  void crash(int node);
  void lose_disk(int node);
  void restore(int node);
  void come_back_alone(int node);
  void cut_both(int a, int b) {
    cluster_.net().cut(a, b);
    cluster_.net().cut(b, a);
  }
  void mend_both(int a, int b) {
    cluster_.net().mend(a, b);
    cluster_.net().mend(b, a);
  }
  void isolate(int node);
  void split();
  void cut_one_way(int node);
  void reset(int node);
  void freeze(int node);
  void fail_writes(int node);
  void fail_reads(int node);
  void damage(int node);
  void slow_disk(int node);
  void skew(int node);
  void lossy();
  void fail_part(int node);
  template <class Handle>
  void fail(int node, const Handle& part) {
    cluster_.disturb(node);
    if (part)
      caf::anon_send(caf::actor_cast<caf::actor>(part), caf::exit_msg{{}, failure});
  }
  void change_policy(int node);
  put_policy draw_rule();
  void save_snapshot(int node);
  void load_snapshot(int node);
  void remove(int node);

  void stop(int node, bool power);
  void start_after(int node, moment pause);
  void tell(std::string line);
  moment seconds(uint64_t low, uint64_t high) {
    return dice_.between(moment{low * 1'000'000}, moment{high * 1'000'000});
  }

  engine& engine_;
  dice dice_;
  cluster& cluster_;
  clients& clients_;
  history& history_;
  deliberate_fault fault_;
  struct backup {
    moment taken{0};
    image content;
  };
  std::map<int, backup> images_;
  std::vector<item_copy> snapshot_; // the last that was saved, as far as it could be
};

} // namespace gnomon::simulation
