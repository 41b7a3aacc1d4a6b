#include "runtime/base/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gnomon {

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  // Levenshtein distance, one row at a time.
  auto distance = [word](std::string_view other) {
    std::vector<size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 1; i <= word.size(); ++i) {
      auto diagonal = std::exchange(row[0], i);
      for (size_t j = 1; j <= other.size(); ++j)
        diagonal =
            std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (word[i - 1] != other[j - 1])}));
    }
    return row.back();
  };
  std::string best;
  size_t least = 3;
  for (auto& candidate : candidates)
    if (auto d = distance(candidate); d < least && d < candidate.size()) {
      least = d;
      best = candidate;
    }
  return best;
}

} // namespace gnomon
