#pragma once

#include "runtime/base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gnomon::http {

/// "2026-11-22T11:41:11.123Z" (RFC 3339).
std::string rfc3339(timestamp when);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(timestamp when);

/// Reads what `http_date` writes; nothing for other text.
std::optional<timestamp> parse_http_date(std::string_view text);

} // namespace gnomon::http
