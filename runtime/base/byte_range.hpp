#pragma once

#include <cstdint>
#include <string_view>

namespace gnomon {

/// The part of a value that somebody asks for.
struct byte_range {
  enum class kind : uint8_t { whole, part, unsatisfiable } what = kind::whole;
  uint64_t first = 0;
  uint64_t count = 0;
};

/// Reads one range ("0-99", "100-", "-5" for the last five) against a value of `size` bytes. Several ranges and text
/// that makes no sense stand for the whole value. Pure.
byte_range parse_range(std::string_view text, uint64_t size);

} // namespace gnomon
