#pragma once

#include "actors/messages/messages.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon {

/// The nodes that operators removed for good. The set only grows, by a few dozen bytes for each node. Merging in any
/// order gives the same set.
class removed_nodes {
public:
  /// True when the node was not in the set yet.
  bool add(const removed_node& node) {
    return nodes_.insert(node).second;
  }
  /// True for exactly that store which was removed.
  bool refuses(const std::string& node, uint64_t incarnation) const {
    return nodes_.count({node, incarnation}) > 0;
  }
  /// True when a node of that name was removed. Another store may use the name since.
  bool names(const std::string& node) const {
    auto i = nodes_.lower_bound({node, 0});
    return i != nodes_.end() && i->node == node;
  }
  bool empty() const {
    return nodes_.empty();
  }
  std::vector<removed_node> list() const {
    return {nodes_.begin(), nodes_.end()};
  }

private:
  std::set<removed_node> nodes_;
};

/// Why a node whose store was removed is refused.
std::string why_removed(const std::string& node);

} // namespace gnomon
