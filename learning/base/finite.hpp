#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace gnomon::learning {

/// True without infinities and NaN: what trained models are made of.
inline bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

} // namespace gnomon::learning
