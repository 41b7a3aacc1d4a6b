#pragma once

#include "runtime/gateway/routes.hpp"

#include <array>
#include <atomic>
#include <chrono>

namespace gnomon::http {

/// Counters of one HTTP thread: requests by route and class of status, with their latencies. One thread writes, any
/// thread may read.
class http_stats {
public:
  static constexpr std::array<double, 14> bounds{0.000'05, 0.000'1, 0.000'25, 0.000'5, 0.001, 0.002'5, 0.005,
                                                 0.01,     0.025,   0.05,     0.1,     0.25,  1,       5};
  struct cell {
    std::atomic<uint64_t> count{0};
    std::atomic<uint64_t> nanoseconds{0};
    std::array<std::atomic<uint64_t>, bounds.size()> buckets{}; // not cumulative
  };
  static constexpr size_t classes = 6; // by the first digit of the status

  void record(endpoint where, int status, std::chrono::nanoseconds took);
  const cell& at(endpoint where, size_t status_class) const {
    return cells_[static_cast<size_t>(where)][status_class];
  }

private:
  std::array<std::array<cell, classes>, static_cast<size_t>(endpoint::unknown) + 1> cells_;
};

} // namespace gnomon::http
