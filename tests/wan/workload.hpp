#pragma once

#include "tests/wan/ledger.hpp"
#include "tests/wan/region_client.hpp"

#include <atomic>
#include <functional>
#include <random>

namespace gnomon::wan {

using steady = std::chrono::steady_clock;

struct workload_rates {
  double writes = 0; // a second, each acknowledged by two regions
  double reads = 0;  // a second, of anything that was acknowledged anywhere
  // Whether the outage keeps every copy of this item from the region, so that its reads have to fail.
  std::function<bool(const std::string& id)> is_cut_off = [](const std::string&) { return false; };
};

struct workload_figures {
  uint64_t writes = 0;        // acknowledged
  uint64_t writes_failed = 0; // not acknowledged, or not in time
  uint64_t reads = 0;         // that worked, at whichever attempt
  uint64_t reads_failed = 0;  // attempts that failed; each was made again
  uint64_t reads_lost = 0;    // given up
  // From a read's first attempt until it worked, of those that failed first: of all, and of items that were not cut
  // off.
  std::chrono::milliseconds longest_outage{0}, longest_avoidable{0};
  std::chrono::milliseconds slowest_read{0}; // of those that worked at once
  steady::time_point last_failure{};
};

/// What the applications of one region do: writes and reads at a steady rate, whether or not earlier ones are answered.
class workload {
public:
  workload(region_client& client, ledger& book, std::string prefix, workload_rates rates);
  /// Stops and waits.
  ~workload();
  /// Begins nothing new, and waits for what is under way.
  void stop();
  /// The same, and reads that failed are not tried again.
  void give_up();
  /// Only after `stop`.
  const workload_figures& figures() const {
    return figures_;
  }

private:
  using task = boost::asio::awaitable<void>;
  task repeat(double per_second, std::function<task()> what);
  task write();
  task read();

  region_client& client_;
  ledger& book_;
  std::string prefix_;
  workload_rates rates_;
  workload_figures figures_;
  std::atomic<bool> stopping_ = false, giving_up_ = false;
  uint64_t next_ = 0;
  std::mt19937_64 random_{17};
  std::vector<std::future<void>> running_;
};

/// Reads each id from the client's region, many at a time, and answers those that did not come back as they were
/// written within `patience` each.
std::vector<std::string> missing_at(region_client& client, const ledger& book, const std::vector<std::string>& ids,
                                    std::chrono::milliseconds patience);

/// Writes new items, many at a time. Throws std::runtime_error when one is not acknowledged.
void preload(region_client& client, ledger& book, const std::string& prefix, size_t count);

} // namespace gnomon::wan
