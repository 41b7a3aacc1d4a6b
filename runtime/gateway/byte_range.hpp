#pragma once

#include <cstdint>
#include <string_view>

namespace gnomon::http {

/// The part of a value that a Range field asks for.
struct byte_range {
  enum class kind : uint8_t { whole, part, unsatisfiable } what = kind::whole;
  uint64_t first = 0;
  uint64_t count = 0;
};

/// Reads one range ("bytes=0-99", "bytes=100-", "bytes=-5") against a value of `size` bytes. Other units, several
/// ranges and text that makes no sense are ignored, as RFC 9110 (14.2) allows: the whole value is the answer.
byte_range parse_range(std::string_view field, uint64_t size);

} // namespace gnomon::http
