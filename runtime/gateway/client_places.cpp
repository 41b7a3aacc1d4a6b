#include "runtime/gateway/client_places.hpp"

#include <algorithm>

namespace gnomon::http {

client_places::entry client_places::enter(const ip_address& from, uint32_t to_tell) {
  const auto client = from.is_v4() ? from : masked(from, 64);
  const auto speaks_for_many =
      std::any_of(proxies_.begin(), proxies_.end(), [&](const auto& each) { return each.contains(from); });
  std::lock_guard lock{guard_};
  auto& count = counts_[client];
  if (!speaks_for_many && count >= uint64_t{most_} + to_tell)
    return {nullptr, true};
  const auto full = ++count > most_ && !speaks_for_many;
  return {place{this, {client}}, full};
}

void client_places::leave(const ip_address& client) {
  std::lock_guard lock{guard_};
  if (const auto found = counts_.find(client); --found->second == 0)
    counts_.erase(found);
}

} // namespace gnomon::http
