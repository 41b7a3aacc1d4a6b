#include "actors/node/known_nodes.hpp"

#include <algorithm>

namespace gnomon {

bool knows_all_nodes(const node_context& node) {
  auto view = node.cluster.get();
  auto was_told = view->unmet_seeds == 0
                  && std::any_of(view->peers.begin(), view->peers.end(),
                                 [](const peer_view& peer) { return peer.answered_ms > 0; });
  return node.is_fresh() || was_told;
}

} // namespace gnomon
