#include "storage/hash_tree.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace gnomon {

namespace {

constexpr std::array<uint32_t, 3> level_sizes{shard_count, shard_count* tree_fan_out, tree_leaves};

uint64_t block_size(uint32_t level) {
  return level == 0 ? shard_count : tree_fan_out;
}

} // namespace

/// The versions count as well as the context: those who have seen the same may have dropped different ones while the
/// rule for conflicts changed.
uint64_t digest_of(const item_record& record) {
  std::string bytes = record.id;
  bytes.push_back('\0');
  version_vector siblings;
  for (const auto& s : record.versions.siblings)
    siblings.add(s.id);
  bytes += record.versions.context.to_text() + '\0' + siblings.to_text();
  return std::max<uint64_t>(1, stable_hash(bytes)); // zero is for tombstones
}

bool is_tombstone(const version_set& versions) {
  return versions.deleted() || (versions.siblings.empty() && !versions.context.empty());
}

std::string reaper_of(const item_record& record) {
  auto ranked = record.holders.durable_by_rank(record.id);
  if (ranked.empty())
    ranked = by_rank(record.holders.current(), record.id);
  return ranked.empty() ? std::string{} : ranked.front();
}

copy_note note_of(const item_record& record, const std::string& node) {
  copy_note note;
  note.id = record.id;
  auto role = record.holders.state_of(node);
  note.held = role == holder_state::durable || role == holder_state::shadow;
  if (!note.held)
    return note;
  auto tombstone = is_tombstone(record.versions);
  note.digest = tombstone ? 0 : digest_of(record);
  note.steward = tombstone && reaper_of(record) == node;
  note.peers = record.holders.current();
  std::erase(note.peers, node);
  return note;
}

uint32_t leaf_of(std::string_view id) {
  auto hash = stable_hash(id);
  auto in_shard = (hash / shard_count) % (tree_fan_out * tree_fan_out);
  return static_cast<uint32_t>((hash % shard_count) * tree_fan_out * tree_fan_out + in_shard);
}

// -- one tree --------------------------------------------------------------------------------------------------------

hash_tree::hash_tree() {
  for (size_t level = 0; level < level_sizes.size(); ++level)
    levels_[level].resize(level_sizes[level]);
}

void hash_tree::toggle(uint32_t leaf, uint64_t digest) {
  levels_[2][leaf] ^= digest;
  levels_[1][leaf / tree_fan_out] ^= digest;
  levels_[0][shard_of_leaf(leaf)] ^= digest;
}

std::vector<uint64_t> hash_tree::block(uint32_t level, uint32_t index) const {
  if (level >= level_sizes.size())
    return {};
  auto size = block_size(level);
  const auto& all = levels_[level];
  if (index >= all.size() / size) // a peer may ask for anything
    return {};
  auto first = all.begin() + static_cast<ptrdiff_t>(index * size);
  return {first, first + static_cast<ptrdiff_t>(size)};
}

uint64_t differing(const std::vector<uint64_t>& ours, const std::vector<uint64_t>& theirs) {
  uint64_t mask = 0;
  for (size_t i = 0; i < ours.size() && i < 64; ++i)
    if (i >= theirs.size() || ours[i] != theirs[i])
      mask |= uint64_t{1} << i;
  return mask;
}

std::vector<uint32_t> places_of(uint32_t level, uint32_t index, uint64_t mask) {
  std::vector<uint32_t> places;
  for (uint32_t bit = 0; bit < block_size(level); ++bit)
    if ((mask >> bit) & 1)
      places.push_back(static_cast<uint32_t>(index * block_size(level)) + bit);
  return places;
}

// -- all trees of a node ---------------------------------------------------------------------------------------------

/// What chose the table need not be in its keys. The highest byte comes first, so that neighbours begin alike.
std::string copy_trees::key_of(uint64_t hash) {
  std::string key;
  for (int shift = 56; shift >= 0; shift -= 8)
    key.push_back(static_cast<char>((hash / shard_count) >> shift));
  return key;
}

std::optional<copy_trees::entry> copy_trees::find(std::string_view id) const {
  auto hash = stable_hash(id);
  auto kept = entries_[hash % shard_count].find(key_of(hash));
  if (!kept)
    return std::nullopt;
  entry result;
  std::memcpy(&result.digest, kept->data(), sizeof result.digest);
  std::memcpy(&result.peers, kept->data() + sizeof result.digest, sizeof result.peers);
  return result;
}

void copy_trees::set(const copy_note& note) {
  auto hash = stable_hash(note.id);
  auto leaf = leaf_of(note.id);
  auto old = find(note.id);
  if (old) {
    toggle(leaf, *old, false);
    tombstones_ -= old->digest == 0 ? 1 : 0;
  }
  if (note.held) {
    entry now{note.digest, number_of(note.peers)};
    toggle(leaf, now, true);
    tombstones_ += now.digest == 0 ? 1 : 0;
    std::string kept;
    kept.append(reinterpret_cast<const char*>(&now.digest), sizeof now.digest);
    kept.append(reinterpret_cast<const char*>(&now.peers), sizeof now.peers);
    entries_[hash % shard_count].set(key_of(hash), kept);
  } else if (old) {
    entries_[hash % shard_count].erase(key_of(hash));
  }
  if (note.held && note.steward)
    to_reap_.insert(note.id);
  else
    to_reap_.erase(note.id);
}

bool copy_trees::knows(const copy_note& note) const {
  auto known = find(note.id);
  return known ? note.held && known->digest == note.digest && sets_[known->peers] == note.peers : !note.held;
}

bool copy_trees::hides_from(const std::string& peer, std::string_view id) const {
  auto known = find(id);
  if (!known)
    return false;
  const auto& peers = sets_[known->peers];
  return std::find(peers.begin(), peers.end(), peer) == peers.end();
}

size_t copy_trees::bytes() const {
  size_t bytes = trees_.size() * (tree_leaves + tree_leaves / tree_fan_out) * sizeof(uint64_t);
  for (const auto& table : entries_)
    bytes += table.bytes();
  return bytes;
}

std::vector<uint64_t> copy_trees::block(const std::string& peer, uint32_t level, uint32_t index) const {
  static const hash_tree nothing;
  auto found = trees_.find(peer);
  return (found != trees_.end() ? found->second.hashes : nothing).block(level, index);
}

std::vector<std::string> copy_trees::to_reap(const std::string& after, size_t limit) const {
  std::vector<std::string> ids;
  limit = std::min(limit, to_reap_.size());
  for (auto i = to_reap_.upper_bound(after); ids.size() < limit; ++i) {
    if (i == to_reap_.end())
      i = to_reap_.begin();
    ids.push_back(*i);
  }
  return ids;
}

void copy_trees::clear() {
  *this = copy_trees{};
}

uint32_t copy_trees::number_of(const peer_set& peers) {
  auto [place, added] = set_numbers_.try_emplace(peers, static_cast<uint32_t>(sets_.size()));
  if (added)
    sets_.push_back(peers);
  return place->second;
}

void copy_trees::toggle(uint32_t leaf, const entry& e, bool in) {
  if (e.digest == 0)
    return;
  for (const auto& peer : sets_[e.peers]) {
    auto place = trees_.try_emplace(peer).first;
    place->second.hashes.toggle(leaf, e.digest);
    place->second.entries += in ? 1 : -1;
    if (place->second.entries == 0)
      trees_.erase(place);
  }
}

} // namespace gnomon
