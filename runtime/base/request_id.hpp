#pragma once

#include "runtime/base/error.hpp"

#include <string>

namespace gnomon {

/// `text` if it may name a write, so that sending it again changes nothing: 1 to 128 visible ASCII characters. Errors:
/// invalid_argument.
expected<std::string> checked_request_id(std::string text);

} // namespace gnomon
