#include "runtime/gateway/byte_range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace gnomon::http {

namespace {

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || fault != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

byte_range suffix(uint64_t count, uint64_t size) {
  if (count == 0 || size == 0)
    return {byte_range::kind::unsatisfiable};
  count = std::min(count, size);
  return {byte_range::kind::part, size - count, count};
}

} // namespace

byte_range parse_range(std::string_view field, uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  auto spec = field.substr(std::min(field.size(), unit.size()));
  auto dash = spec.find('-');
  if (!field.starts_with(unit) || dash == std::string_view::npos)
    return {};
  auto first = number(spec.substr(0, dash));
  auto last = number(spec.substr(dash + 1));
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
