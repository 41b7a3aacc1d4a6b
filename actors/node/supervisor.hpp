#pragma once

#include "actors/messages/protocol.hpp"
#include "runtime/base/clock.hpp"

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon {

/// Which children are restarted when one fails: only that one, also the siblings started after it, or all of them.
enum class restart_strategy : uint8_t { one_for_one, rest_for_one, one_for_all };

/// One line of the table of restart rules.
struct restart_rule {
  std::string_view child;
  std::string_view parent;
  restart_strategy strategy;
  size_t restarts; // within `window`, over all children of that kind; at one more the parent gives up
  duration window;
  duration grace; // between asking it to stop and killing it
};

/// All restart rules, in the order in which a node starts; the same table stands in docs/flows/supervision.md.
/// A parent that gives up is a failed child of its own parent; when the root gives up, the process ends with status 1.
const std::vector<restart_rule>& restart_rules();
/// The rule of that kind of child, which must exist.
const restart_rule& restart_rule_of(std::string_view child);

/// Counts failures within a sliding window. Not thread-safe.
class failure_window {
public:
  using time_point = caf::actor_clock::time_point;
  /// Notes a failure; true when there were more than the rule's restarts within its window.
  bool exceeded_by(const restart_rule& rule, time_point now);

private:
  std::deque<time_point> failures_;
};

/// How one child is started. `start` spawns the actor and publishes the new handle. When it throws, the start counts as
/// failed. It must not link to or monitor the actor.
struct child_spec {
  std::string name; // in logs: "shard 7"
  const restart_rule* rule = nullptr;
  std::function<caf::actor(caf::actor_system&)> start;
};

struct supervisor_config {
  std::string name;                 // in logs
  std::vector<child_spec> children; // started in this order, stopped in the reverse one
};

/// Keeps its children running by the rules of the table. Owns: its children. Callers: its parent (exit messages). Ends
/// with `user_shutdown` once all children have ended after an exit message, or with an error when it gives up.
using supervisor_actor = caf::typed_actor<
    // Start what is not running.
    caf::reacts_to<tick_a>,
    // The grace of this child (index, number of its start) is over.
    caf::reacts_to<expire_a, uint64_t, uint64_t>>;

struct supervisor_state {
  static inline const char* name = "supervisor";
  ~supervisor_state();

  void start(supervisor_actor::pointer self, supervisor_config config);
  void child_down(const caf::down_msg& down);
  void grace_over(size_t index, uint64_t generation);
  void stop(caf::error reason);
  /// Stops the children that have to stop, one at a time, the last first. Then starts all missing ones, in order.
  void advance();

private:
  struct child {
    child_spec spec;
    caf::actor handle = {};  // null while it is down
    uint64_t generation = 0; // number of its start
    bool stopping = false;
    bool killed = false;
  };

  void ask_to_stop(size_t index);
  bool start_child(size_t index);
  void child_failed(size_t index, const caf::error& reason);
  failure_window& failures_of(const restart_rule& rule);

  supervisor_actor::pointer self_ = nullptr;
  std::string name_;
  std::vector<child> children_;
  std::vector<std::pair<const restart_rule*, failure_window>> failures_;
  size_t stop_from_ = SIZE_MAX; // children from that index on are to be stopped first
  bool ending_ = false;
  caf::error end_reason_;
};

supervisor_actor::behavior_type supervisor(supervisor_actor::stateful_pointer<supervisor_state> self,
                                           supervisor_config config);

} // namespace gnomon
