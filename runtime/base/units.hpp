#pragma once

#include "runtime/base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Spans of time and sizes as configs write them: a whole number and its unit. What is written reads back alike. Pure.
namespace gnomon {

/// "250ms", "30s", "5m", "24h", "7d"; nothing else.
std::optional<duration> duration_from(std::string_view text);
/// In the largest unit that divides it.
std::string to_text(duration d);
/// "512B", "64KiB", "256MiB", "2GiB"; nothing else.
std::optional<uint64_t> bytes_from(std::string_view text);
std::string bytes_text(uint64_t bytes);

} // namespace gnomon
