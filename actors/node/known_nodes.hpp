#pragma once

#include "actors/node/node_context.hpp"

namespace gnomon {

/// Somebody has told this node who there is. A node that has met nobody cannot know, nor one that has met a few among
/// many seeds: those few may have started anew as well.
bool knows_all_nodes(const node_context& node);

} // namespace gnomon
