#pragma once

#include "actors/node/node_context.hpp"

namespace gnomon {

/// True when this node knows which nodes there are: it has met all its seeds, and is in touch with others. A node that
/// has met a few of many seeds cannot know it. Those few may have just started as well, even when they are a majority.
bool knows_all_nodes(const node_context& node);

/// What clients hear of an id that no node has: `not_found`.
caf::error nobody_holds_it();

/// Why it does not: `unavailable`.
caf::error not_all_nodes_known(const node_context& node);

} // namespace gnomon
