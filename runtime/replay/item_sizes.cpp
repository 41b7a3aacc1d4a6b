#include "runtime/replay/item_sizes.hpp"

#include "runtime/base/ids.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gnomon::replay {

uint64_t made_up_bytes(std::string_view item) {
  constexpr double median = 64 * 1024, sigma = 1.5, least = 1024, most = 16 << 20;
  auto uniform = [&](uint64_t seed) { return (static_cast<double>(stable_hash(item, seed) >> 11) + 0.5) * 0x1p-53; };
  // Box and Muller 1958.
  const double normal = std::sqrt(-2 * std::log(uniform(1))) * std::cos(2 * std::numbers::pi * uniform(2));
  return static_cast<uint64_t>(std::clamp(median * std::exp(sigma * normal), least, most));
}

} // namespace gnomon::replay
