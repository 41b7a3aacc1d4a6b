#include "actors/node/known_nodes.hpp"

#include <algorithm>

namespace gnomon {

bool knows_all_nodes(const node_context& node) {
  auto view = node.cluster.get();
  auto was_told =
      std::any_of(view->peers.begin(), view->peers.end(), [](const peer_view& peer) { return peer.answered_ms > 0; });
  return view->unmet_seeds == 0 && (node.is_fresh() || was_told);
}

caf::error nobody_holds_it() {
  return make_error(ec::not_found, "no region holds the item");
}

caf::error not_all_nodes_known(const node_context& node) {
  if (auto unmet = node.cluster.get()->unmet_seeds; unmet > 0)
    return make_error(ec::unavailable, "this node has never reached " + std::to_string(unmet)
                                           + " of its seeds, where the item may be; try again");
  return make_error(ec::unavailable, "this region is cut off from the others; try again");
}

} // namespace gnomon
