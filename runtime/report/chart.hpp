#pragma once

#include "runtime/report/svg.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gnomon::report {

struct point {
  double x = 0, y = 0;
};

inline constexpr size_t no_shape = SIZE_MAX;

/// One point with its name beside it, or a line with its name at its end.
struct series {
  std::string name;
  std::vector<point> points; // in order of x; those that are not finite leave a gap
  size_t style = 0;          // shape, dashes and colour; or `no_shape`
  bool strong = false;       // what the page is about
};

/// How an axis counts.
struct axis {
  std::string name;
  bool from_zero = true;    // otherwise from the least value
  bool logarithmic = false; // where all values are positive and the largest is more than 8 times the least
  double most = 0;          // ends there; 0: at the largest value
};

struct chart {
  std::string title; // for screen readers: what is to be seen
  axis x, y;
  std::vector<series> all;
};

std::string draw(const chart& what, extent size);

} // namespace gnomon::report
