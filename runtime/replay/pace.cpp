#include "runtime/replay/pace.hpp"

#include "runtime/replay/load.hpp"

#include <algorithm>

namespace gnomon::replay {

namespace {

constexpr double shortest_pass = 20;       // seconds
constexpr double both_passes = 520;        // seconds; starting and writing take the rest of ten minutes
constexpr double reads_per_second = 1'250; // five nodes and their readers on two cores
constexpr double slack = 1.2;              // a pass this much longer than the least it needs is hardly ever late

double baseline_floor(uint64_t reads, double origin_ms) {
  auto count = static_cast<double>(reads);
  return std::max(count * origin_ms / 1e3 / open_requests, count / reads_per_second / 2);
}

} // namespace

pace choose_pace(uint64_t reads, double span_seconds, double origin_ms) {
  auto baseline = baseline_floor(reads, origin_ms);
  auto least = std::max(shortest_pass, static_cast<double>(reads) / reads_per_second);
  auto seconds = std::max(least, baseline * slack);
  if (2 * seconds > both_passes)
    seconds = std::max(least, both_passes - baseline);
  return given_pace(std::max(1.0, span_seconds / seconds), reads, span_seconds, origin_ms);
}

pace given_pace(double time_scale, uint64_t reads, double span_seconds, double origin_ms) {
  return {time_scale, span_seconds / time_scale, baseline_floor(reads, origin_ms)};
}

} // namespace gnomon::replay
