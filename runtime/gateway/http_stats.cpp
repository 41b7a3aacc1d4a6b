#include "runtime/gateway/http_stats.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

// The only writer of the value is this thread: no locked instruction is needed.
void bump(std::atomic<uint64_t>& value, uint64_t by) {
  value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

} // namespace

void http_stats::record(endpoint where, int status, std::chrono::nanoseconds took) {
  auto digit = static_cast<size_t>(std::clamp(status / 100, 1, 5));
  auto& cell = cells_[static_cast<size_t>(where)][digit];
  bump(cell.count, 1);
  bump(cell.nanoseconds, static_cast<uint64_t>(took.count()));
  auto seconds = static_cast<double>(took.count()) / 1e9;
  auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  if (static_cast<size_t>(bucket) < bounds.size())
    bump(cell.buckets[static_cast<size_t>(bucket)], 1);
}

} // namespace gnomon::http
