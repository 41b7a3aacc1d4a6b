#pragma once

#include "runtime/base/error.hpp"

#include <string>
#include <string_view>

namespace gnomon {

/// Replaces each %XX by its byte; `form` reads '+' as a space too, as clients write it in queries. Errors:
/// invalid_argument for a '%' without two hexadecimal digits.
expected<std::string> percent_decode(std::string_view text, bool form = false);

/// `text` so that it may stand in a path, or as a value in a query: everything but unreserved characters and '/' as %XX
/// (RFC 3986, sections 2.3 and 3.4).
std::string percent_encode(std::string_view text);

} // namespace gnomon
