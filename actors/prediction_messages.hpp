#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/inspect.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What travels about predictions; `messages.hpp` includes it.
namespace gnomon {

// -- a client's requests ----------------------------------------------------------------------------------------------

/// What will this user read next? Only the region where the user reads knows; a node that does not asks the others,
/// unless it was asked itself (`forwarded`).
struct get_prediction {
  std::string user;
  uint32_t limit = 20;
  bool forwarded = false;
  auto fields() {
    return std::tie(user, limit, forwarded);
  }
};

struct predicted_item {
  std::string id;
  real confidence;                  // that the user reads it within the next ten reads and six hours
  std::vector<std::string> holders; // nodes that have a copy now
  std::vector<std::string> regions; // that would get one
  auto fields() {
    return std::tie(id, confidence, holders, regions);
  }
};

struct prediction {
  std::string user;
  std::string served_by; // node
  uint64_t model = 0;    // version; 0: nothing was trained yet, the counters answer
  std::vector<predicted_item> items;
  auto fields() {
    return std::tie(user, served_by, model, items);
  }
};

/// Forget all that was learned from this user's reads: here and, unless `forwarded`, in all regions.
struct forget_user {
  std::string user;
  bool forwarded = false;
  auto fields() {
    return std::tie(user, forwarded);
  }
};

struct forget_receipt {
  std::string user;
  uint32_t regions = 0; // that knew the user
  auto fields() {
    return std::tie(user, regions);
  }
};

// -- between nodes ----------------------------------------------------------------------------------------------------

/// How often an item was read and written in one region since the last report.
struct item_accesses {
  std::string id;
  uint32_t reads = 0;
  uint32_t writes = 0;
  timestamp last{};
  auto fields() {
    return std::tie(id, reads, writes, last);
  }
};

/// What a region's readers did lately, without who they are: the others' demand models learn from it.
struct region_accesses {
  std::string region;
  std::vector<item_accesses> items;
  auto fields() {
    return std::tie(region, items);
  }
};

struct accesses_ack {
  auto fields() {
    return std::tie();
  }
};

// -- inside a node ----------------------------------------------------------------------------------------------------

/// A copy of `id` in this region would be read with that probability while its lease runs.
struct prefetch_wish {
  std::string id;
  real confidence;
  auto fields() {
    return std::tie(id, confidence);
  }
};

struct prefetch_wishes {
  std::vector<prefetch_wish> wishes;
  auto fields() {
    return std::tie(wishes);
  }
};

} // namespace gnomon
