#include "runtime/gateway/byte_range.hpp"

#include "runtime/base/numbers.hpp"
#include "runtime/gateway/message.hpp"

#include <algorithm>
#include <optional>

namespace gnomon::http {

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

byte_range parse_range(std::string_view field, uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  auto spec = field.substr(std::min(field.size(), unit.size()));
  auto dash = spec.find('-');
  if (!same_ignoring_case(field.substr(0, unit.size()), unit) || dash == std::string_view::npos)
    return {};
  auto first = position(spec.substr(0, dash));
  auto last = position(spec.substr(dash + 1));
  if (dash == 0)
    return last ? suffix(*last, size) : byte_range{};
  auto open_ended = dash + 1 == spec.size();
  if (!first || (!last && !open_ended) || (last && *last < *first))
    return {};
  if (*first >= size)
    return {byte_range::kind::unsatisfiable};
  auto end = open_ended ? size - 1 : std::min(*last, size - 1);
  return {byte_range::kind::part, *first, end - *first + 1};
}

} // namespace gnomon::http
