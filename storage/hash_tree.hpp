#pragma once

#include "runtime/base/ids.hpp"
#include "storage/packed_map.hpp"
#include "storage/record.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Hash trees over the ids that two nodes both hold (Merkle 1987; used for anti-entropy as in Dynamo, DeCandia et al.
/// 2007). Pure: no store, no actors.
namespace gnomon {

/// What a node's trees have to know about one of its copies. A note is complete, so sending it twice changes nothing.
struct copy_note {
  std::string id;
  bool held = false;
  uint64_t digest = 0;            // of id, context and versions; zero for a tombstone, which counts as no copy
  std::vector<std::string> peers; // the other nodes that hold it according to this node's record, sorted
  bool steward = false;           // this node has to reap the tombstone, or to demote a surplus copy
  auto fields() {
    return std::tie(id, held, digest, peers, steward);
  }
  bool is_tombstone() const {
    return held && digest == 0;
  }
  bool operator==(const copy_note&) const = default;
};

/// True when the item was deleted, or has expired, and only this knowledge is left of it.
bool is_tombstone(const version_set& versions);
/// The node that reaps the item: its steward. When no copy is durable, the first holder in rendezvous order. Empty
/// without holders.
std::string reaper_of(const item_record& record);
/// Equal for two copies of an item exactly when they have the same context and the same versions. Never 0.
uint64_t digest_of(const item_record& record);
copy_note note_of(const item_record& record, const std::string& node);

/// Places in a tree: 64 shards of 32 branches of 32 leaves. Every id has a leaf, which is the same on all nodes.
inline constexpr uint32_t tree_fan_out = 32;
inline constexpr uint32_t tree_leaves = static_cast<uint32_t>(shard_count) * tree_fan_out * tree_fan_out;
uint32_t leaf_of(std::string_view id);
inline uint32_t shard_of_leaf(uint32_t leaf) {
  return leaf / (tree_fan_out * tree_fan_out);
}

/// Hashes over all entries below each place. A hash is the exclusive or of the digests below it, so an entry is added
/// or removed in three steps, in any order. Not thread-safe.
class hash_tree {
public:
  hash_tree();
  /// Adds the digest at the leaf, or removes it.
  void toggle(uint32_t leaf, uint64_t digest);
  /// The hashes of one block of neighbours. Level 0 has one block, with the 64 shards. On level 1, block s has the
  /// branches of shard s. On level 2, block b has the leaves of branch b. Empty for a block that does not exist.
  std::vector<uint64_t> block(uint32_t level, uint32_t index) const;

private:
  std::vector<uint64_t> levels_[3];
};

/// One bit for each place of a block where `theirs` differs from `ours`; a block of another length differs everywhere.
uint64_t differing(const std::vector<uint64_t>& ours, const std::vector<uint64_t>& theirs);
/// The places that a mask names, as block numbers of the next level (or as leaves).
std::vector<uint32_t> places_of(uint32_t level, uint32_t index, uint64_t mask);

/// The trees of one node, one for each other node that it believes to hold copies too, and the tombstones it keeps.
/// Memory: about 25 bytes a copy, half a MiB a peer. Not thread-safe.
class copy_trees {
public:
  /// Notes the present state of one copy. Safe to repeat; the last note counts.
  void set(const copy_note& note);
  /// False when `note` differs from what is known of its copy.
  bool knows(const copy_note& note) const;
  /// True when this node holds the item, and its record does not name `peer` as a holder.
  bool hides_from(const std::string& peer, std::string_view id) const;
  /// A block of the tree towards `peer`, as in `hash_tree::block`. All zero when the two share nothing.
  std::vector<uint64_t> block(const std::string& peer, uint32_t level, uint32_t index) const;
  uint64_t tombstones() const {
    return tombstones_;
  }
  /// Up to `limit` ids of tombstones that this node has to reap, and of copies it has to demote. Begins after `after`
  /// and continues from the front.
  std::vector<std::string> to_reap(const std::string& after, size_t limit) const;
  void clear();
  size_t bytes() const;

private:
  using peer_set = std::vector<std::string>;
  struct entry {
    uint64_t digest = 0;
    uint32_t peers = 0; // place in sets_
  };
  struct tree {
    hash_tree hashes;
    uint64_t entries = 0;
  };
  uint32_t number_of(const peer_set& peers);
  void toggle(uint32_t leaf, const entry& e, bool in);
  static std::string key_of(uint64_t hash);
  std::optional<entry> find(std::string_view id) const;

  std::array<packed_map, shard_count> entries_; // by the hash of the id
  std::vector<peer_set> sets_;                  // distinct sets of peers: few, since holders are chosen by place
  std::map<peer_set, uint32_t> set_numbers_;
  std::map<std::string, tree> trees_;
  std::set<std::string> to_reap_;
  uint64_t tombstones_ = 0;
};

} // namespace gnomon
