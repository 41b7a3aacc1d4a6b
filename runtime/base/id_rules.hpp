#pragma once

#include "runtime/base/error.hpp"

#include <string>
#include <string_view>

namespace gnomon {

/// True when a part of `id` between slashes is "." or "..", also with a dot written as %2e. Clients that take an id for
/// a path leave such parts out, and what comes before "..": they would ask for another item.
bool has_dot_segment(std::string_view id);

/// As `checked_id`, for an item that may be there already: one that is read or deleted by a client which does not take
/// ids for paths may have such parts, since earlier versions took them.
expected<std::string> checked_known_id(std::string id);

} // namespace gnomon
