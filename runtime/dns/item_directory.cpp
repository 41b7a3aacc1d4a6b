#include "runtime/dns/item_directory.hpp"

#include "runtime/dns/hash.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace gnomon::dns {

namespace {

struct entry {
  item_label item;
  uint32_t until;
  region_set regions; // 0: the place is free
};
static_assert(sizeof(entry) == 32);

} // namespace

// Linear probing; a removal moves later entries back, so that there are no graves to step over.
struct alignas(64) item_directory::part {
  mutable std::shared_mutex mutex;
  std::vector<entry> places;
  size_t used = 0;
  uint64_t seed = 0;

  // A label is a hash already, but ids can be chosen so that their labels begin alike. The seed keeps them apart.
  static uint64_t hash_of(const item_label& item, uint64_t seed) {
    uint64_t first;
    uint64_t second;
    std::memcpy(&first, item.data(), sizeof first);
    std::memcpy(&second, item.data() + sizeof first, sizeof second);
    return mix(mix(first ^ seed) ^ second);
  }

  // Where an item would like to be: the hash's high half scaled to the table, which may have any size. The low byte
  // chose the part.
  size_t home(const item_label& item) const {
    return static_cast<size_t>((hash_of(item, seed) >> 32) * places.size() >> 32);
  }
  size_t after(size_t at) const {
    return at + 1 == places.size() ? 0 : at + 1;
  }
  // The item's place, or the free one where it would go; there is a free one unless the table is empty.
  size_t locate(const item_label& item) const {
    auto at = home(item);
    while (places[at].regions != 0 && places[at].item != item)
      at = after(at);
    return at;
  }

  void make_room() {
    if (used + 1 <= places.size() * 85 / 100)
      return;
    auto old = std::exchange(places, std::vector<entry>(std::max<size_t>(16, places.size() * 5 / 4)));
    for (const auto& each : old)
      if (each.regions != 0)
        places[locate(each.item)] = each;
  }

  // Entries behind the gap move into it when the gap lies between their home and their place.
  void take_out(size_t gap) {
    for (auto at = after(gap); places[at].regions != 0; at = after(at)) {
      const auto wish = home(places[at].item);
      if ((gap <= at) ? (wish <= gap || wish > at) : (wish <= gap && wish > at)) {
        places[gap] = places[at];
        gap = at;
      }
    }
    places[gap] = {};
    --used;
  }
};

item_directory::item_directory() : parts_(std::make_unique<part[]>(part_count)) {
  std::random_device random;
  seed_ = static_cast<uint64_t>(random()) << 32 | random();
  for (size_t i = 0; i < part_count; ++i)
    parts_[i].seed = seed_;
}

item_directory::~item_directory() = default;

item_directory::part& item_directory::part_of(const item_label& item) const {
  return parts_[part::hash_of(item, seed_) % part_count];
}

void item_directory::set(const item_label& item, holding where) {
  auto& owner = part_of(item);
  const std::unique_lock guard(owner.mutex);
  owner.make_room();
  const auto at = owner.locate(item);
  auto& found = owner.places[at];
  if (where.regions == 0) {
    if (found.regions != 0)
      owner.take_out(at);
    return;
  }
  owner.used += found.regions == 0 ? 1 : 0;
  found = {.item = item, .until = where.until, .regions = where.regions};
}

void item_directory::erase(const item_label& item) {
  set(item, {});
}

void item_directory::clear() {
  for (size_t i = 0; i < part_count; ++i) {
    const std::unique_lock guard(parts_[i].mutex);
    parts_[i].places = {};
    parts_[i].used = 0;
  }
}

std::optional<holding> item_directory::find(const item_label& item) const {
  const auto& owner = part_of(item);
  const std::shared_lock guard(owner.mutex);
  if (owner.places.empty())
    return std::nullopt;
  const auto& found = owner.places[owner.locate(item)];
  if (found.regions == 0)
    return std::nullopt;
  return holding{.regions = found.regions, .until = found.until};
}

size_t item_directory::size() const {
  size_t count = 0;
  for (size_t i = 0; i < part_count; ++i) {
    const std::shared_lock guard(parts_[i].mutex);
    count += parts_[i].used;
  }
  return count;
}

size_t item_directory::bytes() const {
  size_t sum = part_count * sizeof(part);
  for (size_t i = 0; i < part_count; ++i) {
    const std::shared_lock guard(parts_[i].mutex);
    sum += parts_[i].places.capacity() * sizeof(entry);
  }
  return sum;
}

} // namespace gnomon::dns
