#include "runtime/base/great_circle.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gnomon {

namespace {

constexpr double earth_radius_km = 6371.0088;

double radians(double degrees) {
  return degrees * std::numbers::pi / 180.0;
}

double haversine(double angle) {
  const auto s = std::sin(angle / 2);
  return s * s;
}

} // namespace

double great_circle_km(place from, place to) {
  const auto a = radians(from.latitude), b = radians(to.latitude);
  const auto h = haversine(b - a) + std::cos(a) * std::cos(b) * haversine(radians(to.longitude - from.longitude));
  return 2 * earth_radius_km * std::asin(std::min(1.0, std::sqrt(h)));
}

} // namespace gnomon
