#pragma once

#include "runtime/base/clock.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace gnomon {

/// How much a node does in the background at once: repair, hand-off, anti-entropy, expiry, and moves that a rule asks
/// for. The window of items under way grows by a few while the node is on time, and halves when it is late (additive
/// increase, multiplicative decrease: Chiu and Jain 1989). So clients get the processor and the store first. The window
/// never falls below `least`, so the background always makes progress. Thread-safe.
class background_pace {
public:
  static constexpr uint64_t least = 4;
  static constexpr uint64_t most = 512;
  static constexpr uint64_t step = 8;
  static constexpr duration late_from{50}; // clients notice when the node is later than that

  /// An item under way, until its last copy is gone. The pace outlives it.
  using unit = std::shared_ptr<void>;

  /// Null when as many items are under way as allowed. The caller asks again later.
  unit begin();
  /// Reports how late the node is: called every `pulse_every`.
  void feel(duration late);
  /// A request to another node timed out or was refused: that node is late as well.
  void peer_is_late();

  /// One more item waits for its turn, or one no longer does. Parts that look for work check `room` first.
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
  /// How loaded the node is, from 0 to 1: the mean, over some five seconds, of how late it was, as a share of
  /// `late_from`. 1 stands for that late and later. An exponential average, so that a short burst counts little.
  double load() const {
    return load_;
  }
  /// How many more items may be looked for now: none while the items that were found wait for their turn.
  uint64_t room() const;

private:
  void shrink();

  std::atomic<uint64_t> window_{most}, under_way_{0}, waiting_{0}, put_off_{0};
  std::atomic<int64_t> late_ms_{0};
  std::atomic<double> load_{0};
  std::atomic<bool> shrunk_{false}; // since the last `feel`
};

} // namespace gnomon
