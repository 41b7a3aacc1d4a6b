#pragma once

#include "runtime/base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Times as text, in the calendar of UTC. Pure functions. A time that does not exist, such as February 30th or 24:00,
/// is refused; a leap second is accepted.
namespace gnomon {

/// Seconds since 1970 UTC of a time in the form of RFC 3339: "2024-05-01T12:00:00.250Z", with an offset such as +02:00
/// in place of Z, and a blank in place of T. Nothing for other text.
std::optional<double> seconds_of_rfc3339(std::string_view text);
/// "2026-11-22T11:41:11.123Z".
std::string rfc3339(timestamp when);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(timestamp when);
/// Reads what `http_date` writes; nothing for other text.
std::optional<timestamp> parse_http_date(std::string_view text);

/// Seconds since 1970 UTC of a date in an access log: "17/May/2015:10:05:03 +0000". Nothing for other text.
std::optional<double> seconds_of_log_date(std::string_view text);

/// A number as a time of a trace, in seconds. From 10^11 on it counts milliseconds. Nothing for a time outside 1970 to
/// 2106.
std::optional<double> trace_seconds(double number);
/// The same for text that spells such a number, or a time of RFC 3339.
std::optional<double> trace_seconds(std::string_view text);

} // namespace gnomon
