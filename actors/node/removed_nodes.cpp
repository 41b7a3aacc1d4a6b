#include "actors/node/removed_nodes.hpp"

namespace gnomon {

std::string why_removed(const std::string& node) {
  return "node " + node
         + " was removed from the cluster for good with this store; start it with an empty data_dir to "
           "let it join as a new node";
}

} // namespace gnomon
