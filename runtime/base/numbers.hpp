#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace gnomon {

/// The number that the whole of `text` spells. Nothing when it is no number, or when the number does not fit a `T`.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto last = text.data() + text.size();
  auto [end, fault] = std::from_chars(text.data(), last, value);
  if (fault != std::errc{} || end != last)
    return std::nullopt;
  return value;
}

} // namespace gnomon
