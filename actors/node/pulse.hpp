#pragma once

#include "actors/node/node_context.hpp"

#include <vector>

namespace gnomon {

/// Measures how late the node is: how long its own message waited for its turn, and how long messages wait at the
/// stores and in the mailboxes of region and shards. The background adjusts its pace to that.
class pulse_state {
public:
  using self_pointer = pulse_actor::stateful_pointer<pulse_state>;

  pulse_state() = default;
  const char* name = "pulse";

  void start(self_pointer self, context_ptr node);
  void tick();

private:
  using time_point = caf::actor_clock::time_point;

  /// A question on its way through a mailbox.
  struct probe {
    bool asked = false;
    time_point since{};
    duration last{}; // how long the answer took
  };
  void ask_store(size_t index);
  void ask_region();
  void answered(probe& which);
  duration age_of(const probe& which) const;

  self_pointer self_ = nullptr;
  context_ptr node_;
  time_point due_{};
  std::vector<probe> stores_;
  probe region_;
  uint32_t shard_ = 0; // asked next, behind the region
};

pulse_actor::behavior_type pulse(pulse_actor::stateful_pointer<pulse_state> self, context_ptr node);

} // namespace gnomon
