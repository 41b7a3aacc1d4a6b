#pragma once

#include "gnomon/client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// What a snapshot of a node is made of: entries, each a piece of bytes with a kind, a format number and a checksum,
/// which `client::save_later` makes and `client::load_later` reads. A file of `gnomon snapshot save` holds a heading,
/// the policies, the items and an end, each behind its length in four bytes, most significant first.
namespace gnomon {

/// Whose snapshot it is. What was acknowledged before `taken`, and is held by the node, is in it.
struct snapshot_heading {
  std::string node;
  std::string region;
  time_point taken{};
};

/// Stands last: without it a snapshot is not whole.
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

/// What an entry is. Throws `failure` (bad_message): damaged, cut short, or of a format that this version cannot read.
snapshot_part read_entry(std::string_view entry);

} // namespace gnomon
