#pragma once

#include "runtime/base/error.hpp"

#include <string>
#include <string_view>

namespace gnomon {

/// Replaces each %XX by its byte. With `form`, '+' is a space, as clients write it in queries. Errors: invalid_argument
/// for a '%' without two hexadecimal digits.
expected<std::string> percent_decode(std::string_view text, bool form = false);

/// `text` in a form for a path, or for a value in a query: everything except unreserved characters and '/' as %XX (RFC
/// 3986, sections 2.3 and 3.4).
std::string percent_encode(std::string_view text);

} // namespace gnomon
