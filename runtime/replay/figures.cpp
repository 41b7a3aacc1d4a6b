#include "runtime/replay/figures.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gnomon::replay {

void latency_record::answered(double ms, bool local, bool prefetched) {
  answers_ms_.push_back(ms);
  local_ += local;
  prefetched_ += prefetched;
}

void latency_record::merge(const latency_record& other) {
  answers_ms_.insert(answers_ms_.end(), other.answers_ms_.begin(), other.answers_ms_.end());
  failures_ += other.failures_;
  local_ += other.local_;
  prefetched_ += other.prefetched_;
}

latency_figures latency_record::sum_up() const {
  latency_figures result;
  result.reads = answers_ms_.size() + failures_;
  result.failures = failures_;
  result.local = local_;
  result.prefetched = prefetched_;
  if (answers_ms_.empty())
    return result;
  auto sorted = answers_ms_;
  std::sort(sorted.begin(), sorted.end());
  auto count = static_cast<double>(sorted.size());
  result.local_share = static_cast<double>(local_) / count;
  result.mean_ms = std::accumulate(sorted.begin(), sorted.end(), 0.0) / count;
  result.p50_ms = percentile(sorted, 50);
  result.p95_ms = percentile(sorted, 95);
  result.p99_ms = percentile(sorted, 99);
  return result;
}

double percentile(const std::vector<double>& sorted, double percent) {
  if (sorted.empty())
    return 0;
  auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

} // namespace gnomon::replay
