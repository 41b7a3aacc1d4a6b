#pragma once

#include "runtime/base/ids.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace gnomon {

/// How old this node's knowledge is of who holds what. A peer's answer to a heartbeat says how far its slices of the
/// catalog are. Once this node has the rows up to there, it knows the slice as it was when the heartbeat was sent.
/// Thread-safe; `known_at` takes no lock.
class slice_ages {
public:
  /// The peers that there are. `all`: this node knows that there are no others.
  void set_peers(const std::vector<std::string>& peers, bool all);
  /// `peer` has answered a heartbeat that was sent at `asked_ms`. `heads` are the numbers of the last changes, by
  /// slice.
  void told(const std::string& peer, int64_t asked_ms, uint64_t generation, const std::vector<uint64_t>& heads);
  /// This node has the rows of that peer's slice up to change number `head`.
  void reached(const std::string& peer, size_t slice, uint64_t generation, uint64_t head);
  /// This node's own slice was read from the store.
  void own_is_read(size_t slice);
  /// The slice's shard has ended, and its rows are gone.
  void forget(size_t slice);
  /// The time (`steady_ms`) of which all rows of the slice are known, whoever has them. 0: some are not known. The
  /// largest number when there are no peers.
  int64_t known_at(size_t slice) const {
    return known_at_[slice].load(std::memory_order_acquire);
  }

private:
  struct position {
    uint64_t generation = 0, head = 0;
    int64_t known_at = 0;
  };
  struct peer {
    int64_t asked_ms = 0;
    uint64_t generation = 0;
    std::vector<uint64_t> heads;
    std::array<position, shard_count> slices;
  };
  static void compare(peer& with, size_t slice);
  void publish(size_t slice);

  std::mutex mutex_;
  bool all_ = false;
  std::array<bool, shard_count> read_{};
  std::map<std::string, peer> peers_;
  std::array<std::atomic<int64_t>, shard_count> known_at_{};
};

} // namespace gnomon
