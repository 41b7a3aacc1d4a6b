#pragma once

#include "actors/messages/messages.hpp"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace gnomon {

/// What has to be done so that an item has the copies that a wish asks for.
struct copy_plan {
  /// A holder as it will be.
  struct holder {
    std::string node;
    holder_state state;
    bool hears; // it becomes durable, or its lease becomes longer
  };

  std::vector<holder> present;
  std::vector<holder_state> added;    // the copies to make
  std::deque<std::string> candidates; // for them, best first; at least as many
  bool falls_short = false;           // fewer copies than the wish asks for
};

/// Shadows become durable before new copies are made. Holders that `wish.away` names count as lost, and get nothing.
/// `may_hold` says whether the rules allow the item at a node. Pure.
copy_plan plan_copies_of(const holder_map& holders, const place_copies& wish,
                         const std::function<bool(const std::string&)>& may_hold);

} // namespace gnomon
