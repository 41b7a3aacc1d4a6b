#pragma once

#include "runtime/base/ids.hpp"
#include "storage/record.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Hash trees over the ids that two nodes both hold (Merkle 1987; used for anti-entropy as in Dynamo, DeCandia et al.
/// 2007). Pure: no store, no actors.
namespace gnomon {

/// What a node's trees have to know of one of its copies: all of it, so that saying it twice changes nothing.
struct copy_note {
  std::string id;
  bool held = false;
  uint64_t digest = 0;            // of id and context; zero for a tombstone, which counts like no copy at all
  std::vector<std::string> peers; // the other nodes that hold it, by this node's record, sorted
  bool steward = false;           // a tombstone that this node has to reap
  auto fields() {
    return std::tie(id, held, digest, peers, steward);
  }
  bool operator==(const copy_note&) const = default;
};

/// True when nothing is left of the item but the knowledge that it was deleted, or that it expired.
bool is_tombstone(const version_set& versions);
/// The node that reaps the item: its steward, or the first holder in rendezvous order where no copy is durable; empty
/// without holders.
std::string reaper_of(const item_record& record);
/// What two copies of an item have in common exactly when they have the same context and the same versions. Never 0.
uint64_t digest_of(const item_record& record);
copy_note note_of(const item_record& record, const std::string& node);

/// Places in a tree: 64 shards of 32 branches of 32 leaves. Every id has its leaf, the same on all nodes.
inline constexpr uint32_t tree_fan_out = 32;
inline constexpr uint32_t tree_leaves = static_cast<uint32_t>(shard_count) * tree_fan_out * tree_fan_out;
uint32_t leaf_of(std::string_view id);
inline uint32_t shard_of_leaf(uint32_t leaf) {
  return leaf / (tree_fan_out * tree_fan_out);
}

/// Hashes over all entries below each place. A hash is the sum (exclusive or) of the digests below it, so an entry
/// comes and goes in three steps, whatever the order. Not thread-safe.
class hash_tree {
public:
  hash_tree();
  /// Adds the digest at the leaf, or takes it out again.
  void toggle(uint32_t leaf, uint64_t digest);
  /// Hashes of one block of neighbours: level 0 has one block, of the 64 shards; on level 1 block s has the branches of
  /// shard s, on level 2 block b the leaves of branch b. Empty for a block that does not exist.
  std::vector<uint64_t> block(uint32_t level, uint32_t index) const;

private:
  std::vector<uint64_t> levels_[3];
};

/// One bit for each place of a block where `theirs` differs from `ours`; a block of another length differs everywhere.
uint64_t differing(const std::vector<uint64_t>& ours, const std::vector<uint64_t>& theirs);
/// The places that a mask names, as block numbers of the next level (or as leaves).
std::vector<uint32_t> places_of(uint32_t level, uint32_t index, uint64_t mask);

/// The trees of one node, one for each other node that it believes to hold copies too, and the tombstones it keeps.
/// Memory: about 56 bytes a copy, half a MiB a peer. Not thread-safe.
class copy_trees {
public:
  /// Takes over what is so now of one copy. Safe to repeat; the last word counts.
  void set(const copy_note& note);
  /// False when `note` says anything else than what is known of its copy.
  bool knows(const copy_note& note) const;
  /// True when this node holds the item, and its record does not say that `peer` does too.
  bool hides_from(const std::string& peer, std::string_view id) const;
  /// A block of the tree towards `peer`, as `hash_tree::block`; all zero when nothing is shared with it.
  std::vector<uint64_t> block(const std::string& peer, uint32_t level, uint32_t index) const;
  uint64_t tombstones() const {
    return tombstones_;
  }
  /// Up to `limit` ids, from the first behind `after` on and round the end, whose tombstones this node has to reap.
  std::vector<std::string> to_reap(const std::string& after, size_t limit) const;
  void clear();

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

  std::unordered_map<uint64_t, entry> entries_; // by the hash of the id; never walked
  std::vector<peer_set> sets_;                  // distinct sets of peers: few, since holders are chosen by place
  std::map<peer_set, uint32_t> set_numbers_;
  std::map<std::string, tree> trees_;
  std::set<std::string> to_reap_;
  uint64_t tombstones_ = 0;
};

} // namespace gnomon
