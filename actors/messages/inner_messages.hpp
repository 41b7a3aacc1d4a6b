#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/inspect.hpp"
#include "storage/record.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Messages between the actors of one node: plain structs, as in `messages.hpp`, which includes this file.
namespace gnomon {

/// A link's connection ended. The link fails all requests at once until membership opens another session.
struct session_lost {
  std::string node;
  std::string reason;
  auto fields() {
    return std::tie(node, reason);
  }
};

/// Accesses of one item by one user.
struct access_sample {
  std::string id;
  std::string user;
  timestamp at{};
  uint32_t count = 1;
  bool write = false;
  bool from_index = false; // the read index answered: no shadow has seen the read
  uint32_t elsewhere = 0;  // of `count`: a cache of an application answered, no copy here
  auto fields() {
    return std::tie(id, user, at, count, write, from_index, elsewhere);
  }
};

struct access_batch {
  std::vector<access_sample> samples;
  auto fields() {
    return std::tie(samples);
  }
};

/// The expiry index names `id` under `at`: its lease, or a version, may have ended.
struct expiry_due {
  std::string id;
  timestamp at{};
  bool make_room = false; // the node is full: a shadow goes whatever is left of its lease
  auto fields() {
    return std::tie(id, at, make_room);
  }
  bool operator==(const expiry_due&) const = default;
};

/// Brings the copies of `id` up to `factor`, in the order of `candidates` (nodes, best first). The shadow that holds
/// the item invites them. It skips candidates that refuse or do not answer.
struct place_copies {
  std::string id;
  uint32_t factor = 0;
  uint32_t min_copies = 0; // durable ones among them
  std::vector<std::string> candidates;
  struct lease lease;                 // of the copies that are shadows
  std::vector<std::string> away = {}; // nodes whose copies do not count
  bool wait = false;                  // answer when the invited nodes have the item, not when they are chosen
  auto fields() {
    return std::tie(id, factor, min_copies, candidates, lease, away, wait);
  }
};

/// Operations on a store, applied in order and synced as one: values of `puts` replace, `erases` remove.
struct store_batch {
  std::vector<std::pair<std::string, blob>> puts;
  std::vector<std::string> erases;
  auto fields() {
    return std::tie(puts, erases);
  }
};

struct store_receipt {
  uint64_t batch = 0; // number of the synced group this write went with
  auto fields() {
    return std::tie(batch);
  }
};

struct store_get {
  std::vector<std::string> keys;
  auto fields() {
    return std::tie(keys);
  }
};

/// `values[i]` belongs to `keys[i]`; a null blob: no such key.
struct store_values {
  std::vector<blob> values;
  std::vector<bool> found;
  auto fields() {
    return std::tie(values, found);
  }
};

/// Entries with first <= key < last, in order, at most `limit`; `last` empty: to the end.
struct store_scan {
  std::string first;
  std::string last;
  uint32_t limit = 1000;
  bool keys_only = false;
  auto fields() {
    return std::tie(first, last, limit, keys_only);
  }
};

struct store_entries {
  std::vector<std::pair<std::string, blob>> entries;
  bool more = false;
  auto fields() {
    return std::tie(entries, more);
  }
};

} // namespace gnomon
