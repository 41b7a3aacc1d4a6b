#pragma once

#include "runtime/base/great_circle.hpp"

#include <span>
#include <string_view>

/// A coarse map of the world's long-distance network: cities where networks meet, and the ways between them. Drawn by
/// hand from what is publicly known of submarine cables and exchange points (compare submarinecablemap.com). It has the
/// ways that traffic takes, which are not all that exist: packets from Tokyo to Frankfurt go by Singapore and Suez, not
/// through Siberia, and packets from Cape Town to Mumbai go by Europe. Where a way of the map was in doubt, measured
/// round trips between cloud regions (cloudping, 2025) and between cities (WonderNetwork, 2018) decided. The
/// lengths are not fitted to them.
namespace gnomon {

struct network_hub {
  std::string_view name;
  place at;
  bool transit = false; // ways pass here, but nobody is connected here
};

enum class way { land, sea };

struct network_link {
  std::string_view from;
  std::string_view to;
  way how;
  double km = 0; // 0: the great circle and what ways of that kind add to it
};

std::span<const network_hub> network_hubs();
std::span<const network_link> network_links();

} // namespace gnomon
