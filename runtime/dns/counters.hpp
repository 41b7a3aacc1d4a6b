#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace gnomon::dns {

/// A number that one thread increases and any thread reads.
class tally {
public:
  void add(uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  uint64_t get() const {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<uint64_t> value_{0};
};

/// The types that are counted by name; `other` counts the rest.
enum class counted_type : uint8_t { a, aaaa, https, svcb, txt, soa, ns, any, other };
constexpr size_t counted_types = 9;
constexpr size_t counted_rcodes = 17; // NOERROR to BADVERS

/// `value` is a tally where a thread counts, and a plain number in a sum.
template <class value>
struct basic_counters {
  std::array<value, counted_types> queries{}; // by type; those that could be read
  std::array<value, counted_rcodes> answers{};
  value tcp{};         // queries over TCP, also among `queries`
  value subnets{};     // queries with a client subnet
  value cookies{};     // queries with a valid server cookie
  value truncated{};   // answers that were cut off, those of the rate limit included
  value limited{};     // queries over the rate limit: not answered, or answered truncated
  value malformed{};   // FORMERR
  value ignored{};     // too short, or no query at all
  value last_resort{}; // answers that name regions which are down, because no other is left
  value send_failed{}; // answers that the kernel did not take
};

/// One thread's; alone on its cache lines.
struct alignas(64) counters : basic_counters<tally> {};
using counter_sums = basic_counters<uint64_t>;

/// Adds one thread's counters to `sums`.
void add_to(counter_sums& sums, const counters& counted);

counted_type counted_as(uint16_t qtype);

} // namespace gnomon::dns
