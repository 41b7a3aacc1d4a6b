#include "runtime/replay/pace.hpp"

#include "runtime/replay/load.hpp"

#include <algorithm>

namespace gnomon::replay {

namespace {

constexpr double shortest_pass = 20;       // seconds
constexpr double all_passes = 500;         // seconds; starting and writing take the rest of ten minutes
constexpr double reads_per_second = 1'500; // five nodes and their readers on two cores
constexpr double bytes_per_second = 50e6;  // the same with large answers
constexpr double usable = 0.9;             // of the rate at which 64 open requests are always busy

/// How late reads may go out: it does not touch latencies, which run from when a read goes out.
constexpr double tolerated_wait(double pass_seconds) {
  return 0.5 + 0.05 * pass_seconds;
}

double span_of(const std::vector<trace_read>& reads) {
  return reads.empty() ? 0 : reads.back().t - reads.front().t;
}

double rate_of(double mean_bytes) {
  return 1 / (1 / reads_per_second + mean_bytes / bytes_per_second);
}

double origin_rate(double origin_ms, double mean_bytes) {
  auto by_window = origin_ms > 0 ? open_requests * 1e3 / origin_ms : reads_per_second;
  return std::min(rate_of(mean_bytes), usable * by_window);
}

/// Where `fits` turns from false to true between `low` and `high`, to a second.
template <class Condition>
double threshold(double low, double high, Condition fits) {
  while (high - low > 1) {
    auto middle = (low + high) / 2;
    (fits(middle) ? high : low) = middle;
  }
  return high;
}

} // namespace

double worst_wait(const std::vector<trace_read>& reads, double pass_seconds, double reads_per_second) {
  auto span = span_of(reads);
  auto stretch = span > 0 ? pass_seconds / span : 0;
  double free_at = 0;
  double worst = 0;
  for (const auto& read : reads) {
    auto due = (read.t - reads.front().t) * stretch;
    worst = std::max(worst, free_at - due);
    free_at = std::max(free_at, due) + 1 / reads_per_second;
  }
  return worst;
}

pace choose_pace(const std::vector<trace_read>& reads, double origin_ms, double mean_bytes) {
  auto rate = origin_rate(origin_ms, mean_bytes);
  auto calm = [&](double pass) { return worst_wait(reads, pass, rate) <= tolerated_wait(pass); };
  auto too_long = [&](double pass) { return 3 * pass + worst_wait(reads, pass, rate) > all_passes; };
  auto pass = calm(shortest_pass) ? shortest_pass : threshold(shortest_pass, all_passes / 3, calm);
  if (too_long(pass))
    pass = std::max({shortest_pass, static_cast<double>(reads.size()) / rate_of(mean_bytes),
                     threshold(shortest_pass, pass, too_long) - 1});
  return given_pace(std::max(1.0, span_of(reads) / pass), reads, origin_ms, mean_bytes);
}

pace given_pace(double time_scale, const std::vector<trace_read>& reads, double origin_ms, double mean_bytes) {
  auto pass = span_of(reads) / time_scale;
  return {time_scale, pass, pass + worst_wait(reads, pass, origin_rate(origin_ms, mean_bytes))};
}

} // namespace gnomon::replay
