#pragma once

#include "actors/node/node_context.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gnomon {

/// As the factor of `place_copies`: each candidate gets a copy, however many there are. Only where the item is: a node
/// that has lost it meanwhile passes such a wish on to nobody.
inline constexpr uint32_t one_each = UINT32_MAX;

/// A region as placement sees it.
struct placement_candidate {
  std::string node;
  std::string region;
  double rtt_ms = -1; // from the deciding region; negative: not measured yet
  bool live = true;
};

/// The regions that should get a copy first, best first: those that the residency rule allows and that are alive, by
/// lowest round trip from here; unmeasured ones last, by name. Pure.
std::vector<std::string> rank_candidates(std::vector<placement_candidate> candidates, const policy& rules);

/// The live, permitted regions other than this one, as `rank_candidates` orders them.
std::vector<std::string> candidates_for_copies(const node_context& node, const policy& rules);

/// The copies that `wish` asks for, and the regions that may get them. The policy decides what `wish` leaves open.
place_copies plan_copies(const node_context& node, const create_shadow& wish);

} // namespace gnomon
