#include "actors/node/read_latencies.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon {
namespace {

constexpr double step = 1.2;
constexpr uint32_t least_reads = 100;
constexpr uint32_t most_reads = 1000;
constexpr double burst = 10; // hedged reads that a quiet time may save up

size_t bucket_of(duration took, size_t buckets) {
  auto ms = std::max(1.0, static_cast<double>(took.count()));
  return std::min(static_cast<size_t>(std::ceil(std::log(ms) / std::log(step))), buckets - 1);
}

} // namespace

void read_latencies::note(const std::string& node, duration took) {
  std::lock_guard lock{mutex_};
  budget_ = std::min(budget_ + most_hedged, burst);
  auto& known = by_node_[node];
  ++known.buckets[bucket_of(took, known.buckets.size())];
  if (++known.reads < most_reads)
    return;
  known.reads = 0;
  for (auto& count : known.buckets)
    known.reads += count /= 2;
}

std::optional<duration> read_latencies::p99(const std::string& node) const {
  std::lock_guard lock{mutex_};
  auto known = by_node_.find(node);
  if (known == by_node_.end() || known->second.reads < least_reads)
    return std::nullopt;
  auto slower = known->second.reads;
  size_t i = 0;
  for (; i + 1 < known->second.buckets.size(); ++i) {
    slower -= known->second.buckets[i];
    if (slower * 100 <= known->second.reads)
      break;
  }
  return duration{static_cast<int64_t>(std::ceil(std::pow(step, static_cast<double>(i))))};
}

bool read_latencies::may_hedge() {
  std::lock_guard lock{mutex_};
  if (budget_ < 1)
    return false;
  budget_ -= 1;
  return true;
}

} // namespace gnomon
