#pragma once

#include "runtime/base/clock.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace gnomon {

/// How much a node does in the background at once: repair, hand-off, anti-entropy, what expires, what a rule moves
/// away. The window of items under way grows by a few while the node answers itself in time, and halves when it is late
/// (additive increase, multiplicative decrease: Chiu and Jain 1989), so that clients have the processor and the store
/// first. Thread-safe; a window of its own never falls below `least`, so that the background always gets on.
class background_pace {
public:
  static constexpr uint64_t least = 4;
  static constexpr uint64_t most = 512;
  static constexpr uint64_t step = 8;
  static constexpr duration late_from{50}; // later than that, clients notice

  /// An item under way, until its last copy is gone. The pace outlives it.
  using unit = std::shared_ptr<void>;

  /// Null when as many are under way as may be; whoever asked asks again later.
  unit begin();
  /// How late the node was found to be: every `pulse_every`.
  void feel(duration late);
  /// What was asked of another node timed out or was refused: it is late, too.
  void peer_is_late();

  /// One more waits for its turn, or no longer does. Those who find work look at `has_room` first.
  void wait() {
    ++waiting_;
  }
  void end_wait() {
    --waiting_;
  }
  uint64_t allowed() const {
    return window_;
  }
  uint64_t under_way() const {
    return under_way_;
  }
  uint64_t waiting() const {
    return waiting_;
  }
  uint64_t put_off() const {
    return put_off_;
  }
  duration lateness() const {
    return duration{late_ms_};
  }
  /// How many more items may be looked for now: none while those that were found wait for their turn.
  uint64_t room() const;

private:
  void shrink();

  std::atomic<uint64_t> window_{most}, under_way_{0}, waiting_{0}, put_off_{0};
  std::atomic<int64_t> late_ms_{0};
  std::atomic<bool> shrunk_{false}; // since it was last felt
};

} // namespace gnomon
