#pragma once

#include "actors/messages/messages.hpp"
#include "storage/hash_tree.hpp"

/// Messages that compare copies, reap tombstones and demote durable copies.
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

/// Anti-entropy: asks where the receiver's tree towards `from` differs from these blocks of one level.
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

/// All that `from` holds, and believes the receiver to hold, in these leaves. Where digests differ, or `from` does not
/// name an entry, the receiver's shadows exchange what they have with those of `from`.
struct compare_leaves {
  std::string from;
  std::vector<uint32_t> leaves;
  std::vector<leaf_entry> entries;
  auto fields() {
    return std::tie(from, leaves, entries);
  }
};

/// `ids`: entries that have no equal in the receiver's tree. For these the asker's shadows have to begin the exchange.
/// `bytes`: size of the copies that the receiver itself begins to exchange.
struct leaf_difference {
  std::vector<std::string> ids;
  uint64_t bytes = 0;
  auto fields() {
    return std::tie(ids, bytes);
  }
};

/// What the steward of an item asks another holder, or orders it to do.
enum class steward_word : uint8_t {
  confirm, // have you synced exactly this tombstone?
  reap,    // all holders have it: forget it
  guard,   // have you synced this context, and will you stay durable until I release you?
  demote,  // enough others stay durable: become a shadow
  release, // the demotion is over
  report,  // how much is the item wanted at you?
  dismiss, // there are more copies than the policy asks for: drop yours, if nobody has read it
  drop,    // a client wants the copy gone: drop yours, if it is a shadow that nothing needs
};

/// The receiver acts only when it has `context` on disk: exactly this one for tombstones, at least this one otherwise.
struct steward_order {
  std::string id;
  std::string from;
  version_vector context;
  steward_word word = steward_word::confirm;
  auto fields() {
    return std::tie(id, from, context, word);
  }
};

/// `done`: the receiver has, or did, what was asked. The other fields are its present state.
struct steward_answer {
  bool done = false;
  holder_state role = holder_state::left;
  version_vector context; // synced
  holder_map holders;
  real wanted = 0; // reads and writes there, as `access_count` counts them
  auto fields() {
    return std::tie(done, role, context, holders, wanted);
  }
};

// -- inside a node ----------------------------------------------------------------------------------------------------

/// The present state of some of this node's copies. `complete`: these are the last that the store held of one shard at
/// the start.
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
  uint32_t until = 0; // as in `catalog_row`
  auto fields() {
    return std::tie(note, leased, bytes, until);
  }
};

struct found_copies {
  std::vector<found_copy> copies;
  auto fields() {
    return std::tie(copies);
  }
};

/// The store may have lost some of the ids from `first` to `last`, both included; an empty `last`: to the end.
struct lost_ids {
  std::string first;
  std::string last;
  auto fields() {
    return std::tie(first, last);
  }
};

/// Asks for ids that this node holds in these leaves of its shard; with `peer`, for those that the catalog says `peer`
/// holds too.
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
