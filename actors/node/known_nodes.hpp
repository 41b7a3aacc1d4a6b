#pragma once

#include "actors/node/node_context.hpp"

namespace gnomon {

/// True when another node has told this one which nodes there are. A node that has met no other cannot know. A node
/// that has met a few of many seeds cannot either: those few may have just started as well.
bool knows_all_nodes(const node_context& node);

} // namespace gnomon
