#pragma once

#include "runtime/base/great_circle.hpp"

#include <array>
#include <cstddef>

namespace gnomon {

/// A place and its ways onto the map of `network_tables.hpp`. Making one takes a few microseconds; comparing two takes
/// nanoseconds.
class network_position {
public:
  explicit network_position(place at);
  place at() const {
    return at_;
  }

private:
  friend double network_km(const network_position& from, const network_position& to);
  struct access {
    size_t hub = 0;
    double km = 0;
  };
  place at_;
  std::array<access, 2> nearest_;
};

/// The length of the way that packets between two places take: onto the map, over its links, and down again; or
/// straight between places that are near each other. Symmetric. Pure.
double network_km(const network_position& from, const network_position& to);

/// The round trip in milliseconds that belongs to such a way: light in glass takes 0.0098 ms for a kilometre there and
/// back, routers and detours add some, and both ends have a fixed part.
double network_ms(double km);

} // namespace gnomon
