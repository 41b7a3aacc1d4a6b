#include "runtime/report/world_map.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

namespace gnomon::report {

namespace {

constexpr double north = 78, south = -57; // where the map ends, in degrees

/// Plate carrée.
struct projection {
  double scale; // pixels a degree
  double x(double longitude) const {
    return (longitude + 180) * scale;
  }
  double y(double latitude) const {
    return (north - latitude) * scale;
  }
};

/// A bow to the left of its direction, so that the way back is another one; the shorter way around the world.
struct bow {
  double x1, y1, x2, y2, cx, cy;

  bow(const projection& on, const place& from, const place& to) {
    double east = to.longitude - from.longitude;
    east -= 360 * std::round(east / 360);
    x1 = on.x(from.longitude);
    y1 = on.y(from.latitude);
    x2 = x1 + east * on.scale;
    y2 = on.y(to.latitude);
    cx = (x1 + x2) / 2 + (y2 - y1) * 0.22;
    cy = (y1 + y2) / 2 - (x2 - x1) * 0.22;
  }
  double middle_x() const {
    return (x1 + 2 * cx + x2) / 4;
  }
  double middle_y() const {
    return (y1 + 2 * cy + y2) / 4;
  }
};

std::string graticule(const projection& on, extent size) {
  std::string path;
  for (int longitude = -150; longitude < 180; longitude += 30)
    path += fmt::format("M{:.1f} 0V{:.1f}", on.x(longitude), size.height);
  for (int latitude = -30; latitude < 78; latitude += 30)
    path += fmt::format("M0 {:.1f}H{:.1f}", on.y(latitude), size.width);
  return fmt::format("<path class=\"grid\" d=\"{}\"/><g transform=\"translate({:.1f} {:.1f}) scale({:.3f})\"><path "
                     "class=\"land\" d=\"{}\"/></g>",
                     path, on.x(0), on.y(0), on.scale, coast);
}

/// Drawn again a world further, where it leaves the map at one side and comes back at the other.
std::string arc(const bow& b, double pixels, double world) {
  std::string svg;
  for (double shift : {-world, 0.0, world})
    if (std::max(b.x1, b.x2) + shift > 0 && std::min(b.x1, b.x2) + shift < world)
      svg += fmt::format("<path class=\"flow\" marker-end=\"url(#tip)\" stroke-width=\"{:.1f}\" "
                         "d=\"M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}\"/>",
                         pixels, b.x1 + shift, b.y1, b.cx + shift, b.cy, b.x2 + shift, b.y2);
  return svg;
}

std::string number_at(double x, double y, size_t number) {
  return fmt::format("<circle class=\"disc\" cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"8\"/><text class=\"name\" "
                     "text-anchor=\"middle\" x=\"{0:.1f}\" y=\"{2:.1f}\">{3}</text>",
                     x, y, y + 4, number);
}

std::string draw_flows(const projection& on, extent size, const std::vector<map_region>& regions,
                       const std::vector<flow>& flows, label_room& room) {
  std::string arcs, numbers;
  const double most = flows.empty() ? 1 : flows.front().bytes;
  for (size_t k = std::min(flows.size(), drawn_flows); k-- > 0;) {
    const auto& from = regions[flows[k].from].where;
    const auto& to = regions[flows[k].to].where;
    if (!from || !to)
      continue;
    const bow b(on, *from, *to);
    arcs += arc(b, 0.8 + 5 * std::sqrt(flows[k].bytes / most), size.width);
    if (k >= numbered_flows)
      continue;
    const double x = std::fmod(b.middle_x() + size.width, size.width);
    const double y = std::clamp(b.middle_y(), 9.0, size.height - 9);
    numbers += number_at(x, y, k + 1);
    room.block(x, y, 9);
  }
  return arcs + numbers;
}

} // namespace

std::string draw_map(const std::vector<map_region>& regions, const std::vector<flow>& flows, double width) {
  const projection on{width / 360};
  const extent size{width, (north - south) * on.scale};
  label_room room{size};
  std::string marks;
  for (const auto& region : regions)
    if (region.where) {
      const double x = on.x(region.where->longitude), y = on.y(region.where->latitude);
      room.block(x, y, 4);
      marks += fmt::format("<circle class=\"region\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>", x, y);
    }
  auto svg = graticule(on, size) + draw_flows(on, size, regions, flows, room) + marks;
  for (const auto& region : regions)
    if (region.where)
      svg += room.place(on.x(region.where->longitude), on.y(region.where->latitude), region.name, "name halo");
  return drawing(size, "World map of the regions; arcs show what moved between them", svg);
}

} // namespace gnomon::report
