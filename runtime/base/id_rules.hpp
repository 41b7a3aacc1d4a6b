#pragma once

#include "runtime/base/error.hpp"

#include <string>
#include <string_view>

namespace gnomon {

/// True when a part of `id` between slashes is "." or "..", also with a dot written as %2e. Clients that treat an id as
/// a path remove such parts, with what comes before "..", and would ask for another item.
bool has_dot_segment(std::string_view id);

/// As `checked_id`, for an item that may already exist. A client that does not treat ids as paths may read or delete an
/// id with such parts, because earlier versions accepted them.
expected<std::string> checked_known_id(std::string id);

/// The rule for names of clusters, nodes and regions: 1 to 64 letters, digits, '-', '_' and '.'.
bool is_plain_name(std::string_view text);

} // namespace gnomon
