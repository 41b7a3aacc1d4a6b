#pragma once

#include "runtime/base/great_circle.hpp"

#include <optional>
#include <string_view>

namespace gnomon {

/// Where a country's people are: the point with the least mean distance to its inhabitants (geometric median of its
/// towns), which is nearer to most readers than the middle of its area. `code` is an ISO 3166-1 code of two capital
/// letters. Nothing for other text. Pure.
std::optional<place> country_centre(std::string_view code);

} // namespace gnomon
