#include "runtime/base/byte_range.hpp"

#include "runtime/base/numbers.hpp"

#include <algorithm>
#include <optional>

namespace gnomon {

namespace {

byte_range suffix(uint64_t count, uint64_t size) {
  if (count == 0 || size == 0)
    return {byte_range::kind::unsatisfiable};
  count = std::min(count, size);
  return {byte_range::kind::part, size - count, count};
}

// A number that is too large to be read lies behind the end of any value (RFC 9110, 14.1.2).
std::optional<uint64_t> position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  return parse_number<uint64_t>(text).value_or(UINT64_MAX);
}

} // namespace

byte_range parse_range(std::string_view text, uint64_t size) {
  auto dash = text.find('-');
  if (dash == std::string_view::npos)
    return {};
  auto first = position(text.substr(0, dash));
  auto last = position(text.substr(dash + 1));
  if (dash == 0)
    return last ? suffix(*last, size) : byte_range{};
  auto open_ended = dash + 1 == text.size();
  if (!first || (!last && !open_ended) || (last && *last < *first))
    return {};
  if (*first >= size)
    return {byte_range::kind::unsatisfiable};
  auto end = open_ended ? size - 1 : std::min(*last, size - 1);
  return {byte_range::kind::part, *first, end - *first + 1};
}

} // namespace gnomon
