#include "actors/node/slice_ages.hpp"

#include <algorithm>
#include <limits>

namespace gnomon {

void slice_ages::set_peers(const std::vector<std::string>& peers, bool all) {
  std::lock_guard lock{mutex_};
  auto same = all == all_ && peers.size() == peers_.size()
              && std::all_of(peers.begin(), peers.end(), [this](const auto& name) { return peers_.count(name) > 0; });
  if (same)
    return;
  all_ = all;
  std::erase_if(peers_,
                [&](const auto& known) { return std::find(peers.begin(), peers.end(), known.first) == peers.end(); });
  for (const auto& name : peers)
    peers_.try_emplace(name);
  for (size_t slice = 0; slice < shard_count; ++slice)
    publish(slice);
}

void slice_ages::told(const std::string& peer, int64_t asked_ms, uint64_t generation,
                      const std::vector<uint64_t>& heads) {
  std::lock_guard lock{mutex_};
  auto known = peers_.find(peer);
  if (known == peers_.end() || heads.size() != shard_count)
    return;
  auto& with = known->second;
  with.asked_ms = asked_ms;
  with.generation = generation;
  with.heads = heads;
  for (size_t slice = 0; slice < shard_count; ++slice) {
    compare(with, slice);
    publish(slice);
  }
}

void slice_ages::reached(const std::string& peer, size_t slice, uint64_t generation, uint64_t head) {
  std::lock_guard lock{mutex_};
  auto known = peers_.find(peer);
  if (known == peers_.end())
    return;
  auto& mine = known->second.slices[slice];
  mine.generation = generation;
  mine.head = head;
  compare(known->second, slice);
  publish(slice);
}

void slice_ages::own_is_read(size_t slice) {
  std::lock_guard lock{mutex_};
  read_[slice] = true;
  publish(slice);
}

void slice_ages::forget(size_t slice) {
  std::lock_guard lock{mutex_};
  read_[slice] = false;
  for (auto& [name, with] : peers_)
    with.slices[slice] = {};
  publish(slice);
}

void slice_ages::compare(peer& with, size_t slice) {
  auto& mine = with.slices[slice];
  if (with.generation != 0 && mine.generation == with.generation && mine.head >= with.heads[slice])
    mine.known_at = std::max(mine.known_at, with.asked_ms);
}

void slice_ages::publish(size_t slice) {
  auto oldest = read_[slice] && all_ ? std::numeric_limits<int64_t>::max() : 0;
  for (const auto& [name, with] : peers_)
    oldest = std::min(oldest, with.slices[slice].known_at);
  known_at_[slice].store(oldest, std::memory_order_release);
}

} // namespace gnomon
