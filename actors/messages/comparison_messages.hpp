#pragma once

#include "actors/messages/messages.hpp"
#include "storage/hash_tree.hpp"

/// What travels to compare copies, to reap tombstones and to demote durable copies.
namespace gnomon {

// -- between nodes ----------------------------------------------------------------------------------------------------

/// Hashes of one block of the sender's tree towards the receiver (`hash_tree::block`).
struct tree_block {
  uint32_t index = 0;
  std::vector<uint64_t> hashes;
  auto fields() {
    return std::tie(index, hashes);
  }
};

/// Anti-entropy: where does the receiver's tree towards `from` differ from these blocks of one level?
struct compare_trees {
  std::string from;
  uint32_t level = 0;
  std::vector<tree_block> blocks;
  auto fields() {
    return std::tie(from, level, blocks);
  }
};

/// One mask for each block that was asked about.
struct tree_difference {
  std::vector<uint64_t> masks;
  auto fields() {
    return std::tie(masks);
  }
};

struct leaf_entry {
  std::string id;
  uint64_t digest = 0; // `digest_of`
  auto fields() {
    return std::tie(id, digest);
  }
};

/// All that `from` holds and believes the receiver to hold in these leaves. The receiver has its shadows meet those of
/// `from` where digests differ or where `from` names nothing.
struct compare_leaves {
  std::string from;
  std::vector<uint32_t> leaves;
  std::vector<leaf_entry> entries;
  auto fields() {
    return std::tie(from, leaves, entries);
  }
};

/// `ids`: entries that the receiver has no equal of in its tree: the asker's shadows have to meet it. `bytes`: size of
/// the copies that the receiver itself sets in motion.
struct leaf_difference {
  std::vector<std::string> ids;
  uint64_t bytes = 0;
  auto fields() {
    return std::tie(ids, bytes);
  }
};

/// What the steward of an item asks or tells another holder.
enum class steward_word : uint8_t {
  confirm, // have you synced exactly this tombstone?
  reap,    // everybody has it: forget it
  guard,   // have you synced this context, and will you stay durable until I release you?
  demote,  // enough others stay: end being durable
  release, // the demotion is over
  dismiss, // there are more copies than policy asks for: drop yours, if nobody has read it
};

/// Acts only when the receiver has exactly (for tombstones) or at least (else) `context` on disk.
struct steward_order {
  std::string id;
  std::string from;
  version_vector context;
  steward_word word = steward_word::confirm;
  auto fields() {
    return std::tie(id, from, context, word);
  }
};

/// `done`: the receiver has, or did, what was asked. The rest is how things stand with it now.
struct steward_answer {
  bool done = false;
  holder_state role = holder_state::left;
  version_vector context; // synced
  holder_map holders;
  auto fields() {
    return std::tie(done, role, context, holders);
  }
};

// -- inside a node ----------------------------------------------------------------------------------------------------

/// What is so of some of this node's copies. `complete`: with these, all that the store held of one shard at the start
/// was said.
struct copy_notes {
  std::vector<copy_note> notes;
  bool complete = false;
  auto fields() {
    return std::tie(notes, complete);
  }
};

/// A copy that was found in the store at the start.
struct found_copy {
  copy_note note;
  bool leased = false;
  uint64_t bytes = 0;
  auto fields() {
    return std::tie(note, leased, bytes);
  }
};

struct found_copies {
  std::vector<found_copy> copies;
  auto fields() {
    return std::tie(copies);
  }
};

/// What the store had of some of the ids from `first` to `last`, both included, may be lost; `last` empty: to the end.
struct lost_ids {
  std::string first;
  std::string last;
  auto fields() {
    return std::tie(first, last);
  }
};

/// Ids that this node holds in these leaves of its shard; or, with `peer`, those the catalog says `peer` holds too.
struct list_held {
  std::vector<uint32_t> leaves;
  std::string peer;
  auto fields() {
    return std::tie(leaves, peer);
  }
};

struct held_ids {
  std::vector<std::string> ids;
  auto fields() {
    return std::tie(ids);
  }
};

} // namespace gnomon
