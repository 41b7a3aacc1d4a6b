#pragma once

#include "runtime/base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Durations and sizes as configs write them: a whole number and its unit. Written text reads back to the same value.
/// Pure.
namespace gnomon {

/// "250ms", "30s", "5m", "24h", "7d"; nothing else.
std::optional<duration> duration_from(std::string_view text);
/// In the largest unit that divides it.
std::string to_text(duration d);
/// "512B", "64KiB", "256MiB", "2GiB"; nothing else.
std::optional<uint64_t> bytes_from(std::string_view text);
std::string bytes_text(uint64_t bytes);

} // namespace gnomon
