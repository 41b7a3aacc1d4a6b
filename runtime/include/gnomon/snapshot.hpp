#pragma once

#include "gnomon/abi.hpp"
#include "gnomon/client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// The parts of a node's snapshot: entries, which `client::save_later` makes and `client::load_later` reads. Each is a
/// piece of bytes with a kind, a format number and a checksum. A file of `gnomon snapshot save` has a heading, the
/// policies, the items and an end, each after its length in four bytes, most significant first.
namespace gnomon::inline GNOMON_ABI {

/// Whose snapshot it is. It contains everything that was acknowledged before `taken` and that the node holds.
struct snapshot_heading {
  std::string node;
  std::string region;
  time_point taken{};
};

/// The last entry: without it a snapshot is not whole.
struct snapshot_end {
  uint64_t items = 0;
  uint64_t policies = 0; // entries with policies
};

struct snapshot_item {
  std::string id;
  uint64_t bytes = 0;   // of its values
  bool deleted = false; // a tombstone
};

struct snapshot_policies {
  uint64_t count = 0;
};

using snapshot_part = std::variant<snapshot_heading, snapshot_item, snapshot_policies, snapshot_end>;

std::string to_entry(const snapshot_heading& heading);
std::string to_entry(const snapshot_end& end);

/// The kind of an entry, with its facts. Throws `failure` (bad_message): damaged, cut short, or of a format that this
/// version cannot read.
snapshot_part read_entry(std::string_view entry);

} // namespace gnomon::inline GNOMON_ABI
