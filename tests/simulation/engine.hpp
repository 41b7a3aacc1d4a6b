#pragma once

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace gnomon::simulation {

/// Simulated time since the start of the run.
using moment = std::chrono::microseconds;

/// Random numbers that are the same on every machine (the standard's distributions are not).
class dice {
public:
  explicit dice(uint64_t seed) : source_(seed) {}
  uint64_t draw() {
    return source_();
  }
  /// 0 to n-1.
  uint64_t below(uint64_t n) {
    return source_() % n;
  }
  uint64_t between(uint64_t low, uint64_t high) {
    return low + below(high - low + 1);
  }
  moment between(moment low, moment high) {
    return moment{
        static_cast<int64_t>(between(static_cast<uint64_t>(low.count()), static_cast<uint64_t>(high.count())))};
  }
  /// True in `percent` of a hundred cases.
  bool chance(uint64_t percent) {
    return below(100) < percent;
  }
  template <class Range>
  const auto& one_of(const Range& range) {
    return range[below(range.size())];
  }

private:
  std::mt19937_64 source_;
};

/// What an actor dies of when the simulator makes it fail.
inline const caf::error failure = caf::sec::runtime_error;

/// Who an actor belongs to: a node by number, or the world outside of all nodes.
inline constexpr int outside = -1;

/// Runs all actors of all nodes on one thread, one message at a time in an order drawn from the seed, and lets time
/// jump to whatever comes next when nobody has anything to do. Knows to which node each actor belongs, because an actor
/// belongs to the node whose actor (or whose `as`) spawned it; so that a node can be frozen or killed as a whole.
class engine {
public:
  explicit engine(uint64_t seed);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Ends all actors. Before what they refer to goes.
  void stop();

  caf::actor_system& system() {
    return *system_;
  }
  moment now() const {
    return now_;
  }
  /// Runs `what` at that time, after all that was to happen earlier. Not for the past.
  void at(moment when, std::function<void()> what);
  void after(moment delay, std::function<void()> what) {
    at(now_ + delay, std::move(what));
  }
  /// Runs `f` in the name of a node.
  void as(int owner, const std::function<void()>& f);
  void run_until(moment end);

  /// Messages to the node's actors wait until it is thawed.
  void freeze(int owner);
  void thaw(int owner);
  /// Ends all actors of the node within one instant: none of them handles another message.
  void kill(int owner);
  /// How long the messages to an actor of this name wait before they are handled together: a disk at work.
  void set_latency(int owner, std::function<moment()> of_store);
  /// Lets the node's stores do now what they would do when their disk is done.
  void finish_stores(int owner);

  /// Ends one actor of the node with an error, drawn among those of these names; false when there is none.
  bool fail_one(int owner, const std::vector<std::string>& names, dice& from);

  /// An actor of the world outside, to ask others with; its handlers run like any actor's.
  caf::event_based_actor* asker() {
    return asker_;
  }
  /// Live actors of that owner.
  size_t alive(int owner) const;
  /// Their names, with how many there are of each.
  std::string names_alive(int owner) const;
  /// Follows from everything that happened so far, in its order.
  uint64_t trace() const {
    return trace_;
  }
  /// Mixes something else into the trace.
  void note(uint64_t fact);
  uint64_t steps() const {
    return steps_;
  }

private:
  struct job {
    caf::resumable* run;
    caf::actor_id id;
  };
  struct event {
    moment when;
    uint64_t number;
    std::function<void()> what;
    bool operator>(const event& other) const {
      return std::tie(when, number) > std::tie(other.when, other.number);
    }
  };
  struct known_actor {
    int owner = outside;
    bool seen = false;
    bool store = false;
    bool open = false; // a store whose disk is done
  };
  struct owned {
    bool frozen = false;
    bool dying = false;
    std::vector<job> parked;
    std::map<caf::actor_id, caf::actor_addr> actors;
    std::function<moment()> latency;
  };

  void claim(int owner);
  void collect();
  void take_in(job j);
  void run(job j);
  bool advance(moment end);

  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  caf::event_based_actor* asker_ = nullptr;
  caf::actor asker_handle_;
  dice order_;
  moment now_{0};
  std::priority_queue<event, std::vector<event>, std::greater<>> events_;
  uint64_t next_event_ = 0;
  std::vector<known_actor> actors_; // by id
  std::map<int, owned> owners_;
  std::vector<job> ready_;
  std::vector<job> at_disk_;
  uint64_t trace_ = 0;
  uint64_t steps_ = 0;
};

} // namespace gnomon::simulation
