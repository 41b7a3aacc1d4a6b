#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gnomon::replay {

/// What one region, or all of them together, saw of a pass.
struct latency_figures {
  uint64_t reads = 0;    // issued, failures included
  uint64_t failures = 0; // no answer in time, a status other than 200, or wrong bytes
  uint64_t local = 0;    // answered by a copy in the reader's region, prefetched ones included
  uint64_t prefetched = 0;
  double local_share = 0; // of the answered reads
  double mean_ms = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
};

/// Collects the outcomes of single reads and sums them up. Not thread-safe.
class latency_record {
public:
  void answered(double ms, bool local, bool prefetched);
  void failed() {
    ++failures_;
  }
  void merge(const latency_record& other);
  uint64_t answers() const {
    return answers_ms_.size();
  }
  uint64_t failures() const {
    return failures_;
  }
  uint64_t local() const {
    return local_;
  }
  latency_figures sum_up() const;

private:
  std::vector<double> answers_ms_;
  uint64_t failures_ = 0;
  uint64_t local_ = 0;
  uint64_t prefetched_ = 0;
};

/// The smallest value that at least `percent` of the sorted values do not exceed (nearest rank); 0 when there are none.
double percentile(const std::vector<double>& sorted, double percent);

} // namespace gnomon::replay
