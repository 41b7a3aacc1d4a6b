#pragma once

#include "runtime/base/great_circle.hpp"
#include "runtime/report/svg.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon::report {

/// The outline of the land as the data of an SVG path: x is the longitude in degrees, y the negated latitude.
extern const std::string_view coast;

struct map_region {
  std::string name;
  std::optional<place> where; // without one it is not drawn
};

/// What one region sent to another one.
struct flow {
  size_t from = 0, to = 0; // numbers of regions
  double bytes = 0;
};

/// Regions, and an arc for each of the largest flows: the wider, the more. The first few have numbers at their middle.
/// `flows` are sorted, the largest first.
std::string draw_map(const std::vector<map_region>& regions, const std::vector<flow>& flows, double width);

/// How many flows have numbers and how many are drawn.
inline constexpr size_t numbered_flows = 5, drawn_flows = 30;

} // namespace gnomon::report
