#pragma once

#include "runtime/base/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gnomon::http {

/// The decoded value of the parameter `name`; nothing when it is absent. Errors: invalid_argument, also when it occurs
/// twice, because readers differ about which of the two counts.
expected<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name);

/// The same for one that has an older name as well. Errors: also when both are there.
expected<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name,
                                                     std::string_view older_name);

/// The same for one that is "true" or "false"; `otherwise` when it is absent. Errors: invalid_argument.
expected<bool> flag_parameter(std::string_view query, std::string_view name, bool otherwise);

} // namespace gnomon::http
