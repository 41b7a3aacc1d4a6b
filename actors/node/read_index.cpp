#include "actors/node/read_index.hpp"

#include "runtime/base/ids.hpp"

#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace gnomon {

namespace {

using entry_ptr = std::shared_ptr<const index_entry>;

constexpr size_t part_count = 16;
constexpr uint8_t max_uses = 3;       // a use counter of S3-FIFO has two bits
constexpr uint8_t uses_to_stay = 2;   // that often while new: not part of a scan
constexpr uint64_t share_of_new = 10; // one tenth of the bytes
// Entries that nobody has found are let go from the first share on, and down to the second: the few that would stay
// would keep the pages of all the others in memory.
constexpr uint64_t share_that_crowds = 4, share_that_does_not = 64;
constexpr uint64_t entry_overhead = 560; // of our slots, of the allocator and of a head for HTTP, about

/// Held for a look-up and a pointer copy: shorter than a trip into the kernel.
class spin_lock {
public:
  void lock() {
    for (int tries = 0; flag_.test_and_set(std::memory_order_acquire);)
      if (++tries % 64 == 0)
        std::this_thread::yield(); // the holder may wait for our core
  }
  void unlock() {
    flag_.clear(std::memory_order_release);
  }

private:
  std::atomic_flag flag_;
};

struct key {
  uint64_t hash;
  std::string_view id; // inside the entry
  bool operator==(const key& other) const {
    return hash == other.hash && id == other.id;
  }
};

struct key_hash {
  size_t operator()(const key& k) const {
    return k.hash;
  }
};

/// An entry and its place in a queue.
struct slot {
  entry_ptr entry;
  uint64_t hash;
  uint64_t bytes;
  uint8_t uses = 0;
  bool established = false;
};

using queue = std::list<slot>; // newest in front

/// Hashes of what was evicted while new, in order. An item that comes back soon is established at once.
class ghosts {
public:
  void remember(uint64_t hash, size_t capacity) {
    if (known_.insert(hash).second)
      order_.push_back(hash);
    while (order_.size() > capacity) {
      known_.erase(order_.front());
      order_.pop_front();
    }
  }
  bool recall(uint64_t hash) const {
    return known_.count(hash) > 0;
  }
  void clear() {
    order_.clear();
    known_.clear();
  }

private:
  std::deque<uint64_t> order_;
  std::unordered_set<uint64_t> known_;
};

} // namespace

/// A slice of the index with a lock of its own. What it drops is handed out, so that values are freed without the lock.
struct alignas(64) read_index::part {
  mutable spin_lock lock;
  uint64_t max_bytes = 0;
  uint64_t bytes = 0;
  uint64_t new_bytes = 0;
  bool crowded = false;
  std::unordered_map<key, queue::iterator, key_hash> entries;
  queue fresh;
  queue established;
  ghosts evicted;

  queue& home(const slot& s) {
    return s.established ? established : fresh;
  }

  void count_in(const slot& s) {
    bytes += s.bytes;
    crowded |= bytes > max_bytes / share_that_crowds;
    if (!s.established)
      new_bytes += s.bytes;
  }

  void count_out(const slot& s) {
    bytes -= s.bytes;
    crowded &= bytes > max_bytes / share_that_does_not;
    if (!s.established)
      new_bytes -= s.bytes;
  }

  void insert(entry_ptr entry, uint64_t hash, uint64_t size) {
    auto& to = evicted.recall(hash) ? established : fresh;
    to.push_front({std::move(entry), hash, size, 0, &to == &established});
    entries.emplace(key{hash, to.front().entry->versions.id}, to.begin());
    count_in(to.front());
  }

  /// Puts `entry` where the item stands already and leaves the old one in its place.
  void replace(queue::iterator i, entry_ptr& entry, uint64_t size) {
    count_out(*i);
    entries.erase(key{i->hash, i->entry->versions.id}); // its view points into the old entry
    std::swap(i->entry, entry);
    i->bytes = size;
    entries.emplace(key{i->hash, i->entry->versions.id}, i);
    count_in(*i);
  }

  void drop(queue::iterator i, queue& dropped) {
    count_out(*i);
    entries.erase(key{i->hash, i->entry->versions.id});
    dropped.splice(dropped.end(), home(*i), i);
  }

  void evict_new(queue& dropped) {
    auto oldest = std::prev(fresh.end());
    if (oldest->uses < uses_to_stay) {
      evicted.remember(oldest->hash, entries.size());
      drop(oldest, dropped);
      return;
    }
    count_out(*oldest);
    oldest->uses = 0;
    oldest->established = true;
    count_in(*oldest);
    established.splice(established.begin(), fresh, oldest);
  }

  void evict_established(queue& dropped) {
    auto oldest = std::prev(established.end());
    if (oldest->uses == 0)
      return drop(oldest, dropped);
    --oldest->uses;
    established.splice(established.begin(), established, oldest);
  }

  void shrink(queue& dropped) {
    while (bytes > max_bytes)
      if (established.empty() || (!fresh.empty() && new_bytes > max_bytes / share_of_new))
        evict_new(dropped);
      else
        evict_established(dropped);
  }

  std::vector<entry_ptr> all() const {
    std::vector<entry_ptr> result;
    std::lock_guard guard{lock};
    result.reserve(entries.size());
    for (const auto& [id, place] : entries)
      result.push_back(place->entry);
    return result;
  }

  void clear() {
    queue dropped;
    std::lock_guard guard{lock};
    entries.clear();
    evicted.clear();
    dropped.splice(dropped.end(), fresh);
    dropped.splice(dropped.end(), established);
    bytes = new_bytes = 0;
    crowded = false;
  }
};

size_t index_entry::bytes() const {
  auto size = sizeof *this + entry_overhead + versions.id.size() + versions.served_by.size();
  size += versions.versions.context.size() * 64;
  for (const auto& s : versions.versions.siblings)
    size += sizeof s + s.content_type.size() + s.request_id.size() + s.user.size();
  for (const auto& value : versions.values)
    size += sizeof value + value.size();
  return size;
}

read_index::read_index(uint64_t max_bytes) : parts_(new part[part_count]) {
  for (size_t i = 0; i < part_count; ++i)
    parts_[i].max_bytes = max_bytes / part_count;
}

read_index::~read_index() = default;

entry_ptr read_index::find(std::string_view id) const {
  auto hash = stable_hash(id);
  auto& p = part_of(hash);
  std::lock_guard guard{p.lock};
  auto i = p.entries.find({hash, id});
  if (i == p.entries.end())
    return nullptr;
  auto& s = *i->second;
  if (s.uses < max_uses)
    ++s.uses;
  return s.entry;
}

entry_ptr read_index::peek(std::string_view id) const {
  auto hash = stable_hash(id);
  auto& p = part_of(hash);
  std::lock_guard guard{p.lock};
  auto i = p.entries.find({hash, id});
  return i != p.entries.end() ? i->second->entry : nullptr;
}

void read_index::put(entry_ptr entry) {
  std::string_view id = entry->versions.id;
  auto hash = stable_hash(id);
  auto size = entry->bytes();
  auto& p = part_of(hash);
  queue dropped; // freed after the lock is gone
  std::lock_guard guard{p.lock};
  auto i = p.entries.find({hash, id});
  auto present = i != p.entries.end();
  if (size <= p.max_bytes && present)
    p.replace(i->second, entry, size);
  else if (size <= p.max_bytes)
    p.insert(std::move(entry), hash, size);
  else if (present)
    p.drop(i->second, dropped);
  p.shrink(dropped);
}

void read_index::erase(std::string_view id) {
  erase(id, [](const part&, const slot&) { return true; });
}

void read_index::let_go(std::string_view id) {
  erase(id, [](const part& p, const slot& s) { return p.crowded && s.uses == 0 && !s.established; });
}

template <class Condition>
void read_index::erase(std::string_view id, Condition unwanted) {
  auto hash = stable_hash(id);
  auto& p = part_of(hash);
  queue dropped;
  std::lock_guard guard{p.lock};
  if (auto i = p.entries.find({hash, id}); i != p.entries.end() && unwanted(p, *i->second))
    p.drop(i->second, dropped);
}

void read_index::erase_if(const std::function<bool(const item_versions&)>& unwanted) {
  for (size_t i = 0; i < part_count; ++i)
    for (const auto& entry : parts_[i].all())
      if (unwanted(entry->versions))
        erase(entry->versions.id);
}

void read_index::clear() {
  for (size_t i = 0; i < part_count; ++i)
    parts_[i].clear();
}

uint64_t read_index::bytes() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < part_count; ++i) {
    std::lock_guard guard{parts_[i].lock};
    sum += parts_[i].bytes;
  }
  return sum;
}

size_t read_index::size() const {
  size_t sum = 0;
  for (size_t i = 0; i < part_count; ++i) {
    std::lock_guard guard{parts_[i].lock};
    sum += parts_[i].entries.size();
  }
  return sum;
}

read_index::part& read_index::part_of(uint64_t hash) const {
  return parts_[hash / (UINT64_MAX / part_count + 1)]; // the high bits: the tables inside use the low ones
}

} // namespace gnomon
