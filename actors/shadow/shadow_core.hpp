#pragma once

#include "actors/node/node_context.hpp"
#include "actors/shadow/replica.hpp"

#include <memory>

namespace gnomon {

class shadow_state;

/// What all parts of one shadow share.
struct shadow_core {
  shadow_state& shadow;
  shadow_actor::pointer self = nullptr;
  context_ptr node = {};
  shard_actor shard = {};                            // its supervisor and its way to the catalog
  std::unique_ptr<replica> item = {};                // the pending state
  std::shared_ptr<const item_versions> visible = {}; // the synced state; null: no copy here
  std::shared_ptr<const item_copy> synced = {};      // the same with all that other holders need
  version_vector behind = {};                        // what a peer has and this copy could not take
  timestamp rests_until = {};                        // until then it does not try to fetch that again
  hlc_source stamps = {};
  size_t questions = 0; // requests to peers that are not answered yet
  bool unsaved = false; // counts and settled debts that the record on disk lacks
};

} // namespace gnomon
