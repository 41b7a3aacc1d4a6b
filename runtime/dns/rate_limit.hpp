#pragma once

#include "runtime/base/ip_address.hpp"

#include <atomic>
#include <memory>

namespace gnomon::dns {

struct rate_limit_config {
  uint32_t answers_per_second = 500; // to each /24 of IPv4 and each /56 of IPv6; 0: no limit
  uint32_t burst_seconds = 2;        // how many seconds' answers may come at once
  uint32_t slip = 2;                 // of so many answers over the limit one is sent, truncated; 0: none
  uint32_t slots = 1 << 16;          // clients' prefixes remembered at once, 8 bytes each
};

enum class verdict : uint8_t { send, truncate, drop };

/// Limits what clients that may be somebody else (UDP, no cookie) are sent. Each prefix has one number, the time at
/// which its next answer is due (GCRA: ITU-T I.371, annex A), in a table of fixed size. When the table is full of busy
/// prefixes, the one that is due first is forgotten. Thread-safe, without locks.
class rate_limit {
public:
  explicit rate_limit(rate_limit_config config);

  /// `now_us`: microseconds of a clock that never runs backwards.
  verdict ask(const ip_address& client, uint64_t now_us);

private:
  using slot = std::atomic<uint64_t>; // 16 bits of the prefix's hash, then 48 bits of time
  verdict over();

  rate_limit_config config_;
  uint64_t interval_us_ = 0;
  uint64_t burst_us_ = 0;
  uint64_t seed_;
  uint64_t groups_ = 0;
  std::unique_ptr<slot[]> slots_;
  std::atomic<uint32_t> refused_{0};
};

} // namespace gnomon::dns
