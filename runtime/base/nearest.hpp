#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gnomon {

/// The candidate nearest to a mistyped word, by Levenshtein's distance; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

} // namespace gnomon
