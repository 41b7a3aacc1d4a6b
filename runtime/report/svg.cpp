#include "runtime/report/svg.hpp"

#include "runtime/base/printable.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <numbers>

namespace gnomon::report {

namespace {

constexpr double line_height = 14, digit_width = 6.7;

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

} // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : printable(text))
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    case '\'':
      result += "&#39;";
      break;
    default:
      result += c;
    }
  return result;
}

std::string shortened(std::string_view text, size_t most) {
  const auto clean = printable(text);
  std::string_view left = clean;
  for (size_t k = 0; k < most && !left.empty(); ++k)
    left.remove_prefix(std::max<size_t>(character_length(left), 1));
  return left.empty() ? clean : clean.substr(0, clean.size() - left.size()) + "…";
}

std::string shape(size_t number, double x, double y, std::string_view css) {
  // Around (0, 0), in the order of how easily they are told apart.
  static constexpr std::array<std::string_view, shape_count> paths{
      "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z",                                                  // circle
      "M-4.5 -4.5H4.5V4.5H-4.5Z",                                                            // square
      "M0 -6L5.5 4H-5.5Z",                                                                   // triangle
      "M0 -6.5L5.5 0L0 6.5L-5.5 0Z",                                                         // diamond
      "M-6 -2H-2V-6H2V-2H6V2H2V6H-2V2H-6Z",                                                  // plus
      "M0 6L5.5 -4H-5.5Z",                                                                   // triangle on its head
      "M-5.5 -3L-3 -5.5L0 -2.5L3 -5.5L5.5 -3L2.5 0L5.5 3L3 5.5L0 2.5L-3 5.5L-5.5 3L-2.5 0Z", // cross
      "M0 -6.5L1.6 -2L6.2 -2L2.5 0.9L3.8 5.3L0 2.6L-3.8 5.3L-2.5 0.9L-6.2 -2L-1.6 -2Z"};     // star
  return fmt::format("<path class=\"mark {}\" transform=\"translate({:.1f} {:.1f})\" d=\"{}\"/>", css, x, y,
                     paths[number % shape_count]);
}

double text_width(std::string_view text) {
  return digit_width * static_cast<double>(characters(text));
}

void label_room::block(double x, double y, double radius) {
  taken_.push_back({x - radius, y - radius, x + radius, y + radius});
}

/// The area that is covered already, and much more for what would be cut off.
double label_room::cost(const box& b) const {
  auto overlap = [&](const box& a) {
    return std::max(0.0, std::min(a.right, b.right) - std::max(a.left, b.left))
           * std::max(0.0, std::min(a.bottom, b.bottom) - std::max(a.top, b.top));
  };
  double sum = 0;
  for (const auto& other : taken_)
    sum += overlap(other);
  return sum + 1000 * ((b.right - b.left) * (b.bottom - b.top) - overlap({0, 0, inside_.width, inside_.height}));
}

std::string label_room::place(double x, double y, std::string_view text, std::string_view css) {
  const double w = text_width(text), h = line_height, gap = 9;
  auto at = [&](double left, double middle) { return box{left, middle - h / 2, left + w, middle + h / 2}; };
  const std::array<box, 10> wishes{
      at(x + gap, y),    at(x - gap - w, y),    at(x - w / 2, y - 15), at(x - w / 2, y + 15), at(x + 6, y - 13),
      at(x + 6, y + 13), at(x - 6 - w, y - 13), at(x - 6 - w, y + 13), at(x - w / 2, y - 29), at(x - w / 2, y + 29)};
  const auto best =
      *std::min_element(wishes.begin(), wishes.end(), [&](auto& a, auto& b) { return cost(a) < cost(b); });
  taken_.push_back(best);
  return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", css, best.left, best.bottom - 3,
                     escaped(text));
}

std::string drawing(extent size, std::string_view title, std::string_view body) {
  return fmt::format("<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" role=\"img\" "
                     "aria-label=\"{2}\"><title>{2}</title>{3}</svg>\n",
                     size.width, size.height, escaped(title), body);
}

} // namespace gnomon::report
