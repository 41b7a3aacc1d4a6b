#pragma once

#include "runtime/base/error.hpp"

#include <string>

namespace gnomon {

/// `text` if it may name a write, so that a repeat of the write changes nothing: 1 to 128 visible ASCII characters.
/// Errors: invalid_argument.
expected<std::string> checked_request_id(std::string text);

} // namespace gnomon
