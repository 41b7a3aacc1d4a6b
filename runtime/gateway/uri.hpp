#pragma once

#include "runtime/base/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gnomon::http {

/// Replaces each %XX by its byte; `form` reads '+' as a space too, as clients write it in queries. Errors:
/// invalid_argument for a '%' without two hexadecimal digits.
expected<std::string> percent_decode(std::string_view text, bool form = false);

/// `text` so that it may stand in a path or query: everything but unreserved characters and '/' as %XX.
std::string percent_encode(std::string_view text);

/// The decoded value of the parameter `name`; nothing when it is absent. Errors: invalid_argument, also when it is
/// there twice, since readers differ about which of the two counts.
expected<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name);

} // namespace gnomon::http
