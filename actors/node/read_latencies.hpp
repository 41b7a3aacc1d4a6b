#pragma once

#include "runtime/base/clock.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace gnomon {

/// How long reads at other nodes take, and whether one that takes long may be hedged: sent to the next holder as well
/// (Dean and Barroso, "The Tail at Scale", 2013). Hedged reads are at most 2 % of all. Thread-safe.
class read_latencies {
public:
  static constexpr double most_hedged = 0.02;

  /// A read at `node` has been answered.
  void note(const std::string& node, duration took);
  /// 99 % of the latest reads at `node` took no longer than this, to 20 %. Nothing while fewer than 100 are known.
  std::optional<duration> p99(const std::string& node) const;
  /// Takes one hedged read out of the budget; false when there is none left.
  bool may_hedge();

private:
  /// Bucket i counts reads of up to 1.2^i ms. All counts are halved at 1,000 reads, so that old ones fade.
  struct histogram {
    std::array<uint32_t, 64> buckets{};
    uint32_t reads = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, histogram> by_node_;
  double budget_ = 0;
};

} // namespace gnomon
