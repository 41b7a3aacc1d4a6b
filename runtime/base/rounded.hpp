#pragma once

#include <array>
#include <charconv>

namespace gnomon {

/// `value` to that many significant digits: no more than what was measured is worth. Infinity and NaN stay.
inline double rounded(double value, int digits) {
  std::array<char, 64> text;
  auto written =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, digits - 1);
  auto result = value;
  std::from_chars(text.data(), written.ptr, result);
  return result;
}

/// As results are shown: milliseconds, kilometres and probabilities, and sums of money.
inline double rounded_figure(double value) {
  return rounded(value, 6);
}
inline double rounded_usd(double value) {
  return rounded(value, 3);
}

} // namespace gnomon
