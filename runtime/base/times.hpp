#pragma once

#include <optional>
#include <string_view>

namespace gnomon {

/// Seconds since 1970 UTC of a time as RFC 3339 writes it: "2024-05-01T12:00:00.250Z", with an offset such as +02:00 in
/// place of Z, and a blank in place of T. Nothing for text that is none.
std::optional<double> seconds_of_rfc3339(std::string_view text);

/// Seconds since 1970 UTC of a time on a calendar; nothing for a day or time that does not exist. Leap seconds do.
std::optional<double> seconds_of(int year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                                 unsigned second);

/// A number as a time of a trace, in seconds: from 10^11 on it counts milliseconds. Nothing for what is no time from
/// 1970 to 2106.
std::optional<double> trace_seconds(double number);
/// The same for text that spells such a number, or a time of RFC 3339.
std::optional<double> trace_seconds(std::string_view text);

} // namespace gnomon
