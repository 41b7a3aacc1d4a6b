#include "runtime/dns/rate_limit.hpp"

#include "runtime/dns/hash.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace gnomon::dns {

namespace {

constexpr size_t ways = 4; // slots in which a prefix may stand
constexpr uint64_t time_mask = (uint64_t{1} << 48) - 1;

// Of IPv4 the /24 counts, of IPv6 the /56. Secret, so that nobody can aim at another client's slot.
uint64_t hash_of(const ip_address& client, uint64_t seed) {
  const auto counted = client.bytes().first(client.is_v4() ? 3 : 7);
  uint64_t first = 0;
  std::memcpy(&first, counted.data(), counted.size());
  return mix(mix(first ^ seed) + (client.is_v4() ? 1 : 2));
}

} // namespace

rate_limit::rate_limit(rate_limit_config config) : config_(config), seed_(std::random_device{}()) {
  seed_ = seed_ << 32 | std::random_device{}();
  if (config.answers_per_second == 0)
    return;
  interval_us_ = std::max<uint64_t>(1, 1'000'000 / config.answers_per_second);
  burst_us_ = uint64_t{1'000'000} * config.burst_seconds;
  groups_ = std::max<uint64_t>(1, config.slots / ways);
  slots_ = std::make_unique<slot[]>(groups_ * ways);
}

verdict rate_limit::ask(const ip_address& client, uint64_t now_us) {
  if (!slots_)
    return verdict::send;
  const auto hash = hash_of(client, seed_);
  const auto tag = hash & 0xffff;
  const auto now = now_us & time_mask;
  auto* group = &slots_[(hash >> 16) % groups_ * ways];
  // Another thread may take the slot meanwhile; then look again. After a few times the answer is sent uncounted.
  for (int tries = 0; tries < 8; ++tries) {
    slot* mine = nullptr;
    slot* first_due = group;
    for (size_t i = 0; i < ways; ++i) {
      const auto seen = group[i].load(std::memory_order_relaxed);
      if (seen >> 48 == tag)
        mine = &group[i];
      if ((seen & time_mask) < (first_due->load(std::memory_order_relaxed) & time_mask))
        first_due = &group[i];
    }
    auto& place = mine != nullptr ? *mine : *first_due;
    auto seen = place.load(std::memory_order_relaxed);
    const auto due = seen >> 48 == tag ? std::max(seen & time_mask, now) : now;
    if (due - now > burst_us_)
      return over();
    if (place.compare_exchange_strong(seen, tag << 48 | ((due + interval_us_) & time_mask), std::memory_order_relaxed))
      return verdict::send;
  }
  return verdict::send;
}

verdict rate_limit::over() {
  if (config_.slip == 0)
    return verdict::drop;
  return refused_.fetch_add(1, std::memory_order_relaxed) % config_.slip == 0 ? verdict::truncate : verdict::drop;
}

} // namespace gnomon::dns
