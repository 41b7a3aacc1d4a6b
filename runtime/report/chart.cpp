#include "runtime/report/chart.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace gnomon::report {

namespace {

constexpr double left = 46, right = 14, top = 26, bottom = 44;

/// From values to pixels, and where the axis is marked.
struct scale {
  double least = 0, most = 1, from = 0, to = 1;
  bool logarithmic = false;
  std::vector<double> ticks;

  double operator()(double value) const {
    auto of = [&](double v) { return logarithmic ? std::log(v) : v; };
    return from + (of(value) - of(least)) / (of(most) - of(least)) * (to - from);
  }
};

/// The step of 1, 2 or 5 times a power of ten that cuts `span` into at most `parts`.
double step_of(double span, double parts) {
  const double power = std::pow(10, std::floor(std::log10(span / parts)));
  for (double times : {1.0, 2.0, 5.0})
    if (span / (times * power) <= parts)
      return times * power;
  return 10 * power;
}

void mark_evenly(scale& s, double parts, bool ends_at_most) {
  const double step = step_of(s.most - s.least, parts);
  s.least = std::floor(s.least / step) * step;
  if (!ends_at_most)
    s.most = std::ceil(s.most / step - 1e-9) * step;
  for (double k = 0; s.least + k * step <= s.most + step / 1e3; ++k)
    s.ticks.push_back(s.least + k * step);
}

void mark_powers(scale& s) {
  const double decades = std::log10(s.most / s.least);
  for (double power = std::pow(10, std::floor(std::log10(s.least))); power <= s.most; power *= 10)
    for (double times : {1.0, 2.0, 5.0})
      if (const double tick = power * times; tick >= s.least && tick <= s.most && (decades < 2.5 || times == 1))
        s.ticks.push_back(tick);
}

scale scale_of(const axis& a, std::vector<double> values, double from, double to, double parts) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty())
    values = {0, 1};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  scale s;
  s.from = from;
  s.to = to;
  s.logarithmic = a.logarithmic && *low > 0 && *high > 8 * *low;
  s.least = s.logarithmic ? *low / 1.25 : a.from_zero ? std::min(0.0, *low) : *low;
  s.most = s.logarithmic ? *high * 1.25 : a.most > 0 ? a.most : *high;
  if (!(s.most > s.least))
    s.most = s.least + 1;
  if (s.logarithmic)
    mark_powers(s);
  else
    mark_evenly(s, parts, a.most > 0);
  return s;
}

std::string axis_of_y(const axis& a, const scale& y, extent size) {
  std::string svg;
  for (double tick : y.ticks)
    svg += fmt::format("<path class=\"grid\" d=\"M{0} {1:.1f}H{2:.1f}\"/><text class=\"tick\" text-anchor=\"end\" "
                       "x=\"{3}\" y=\"{4:.1f}\">{5:.4g}</text>",
                       left, y(tick), size.width - right, left - 6, y(tick) + 4, tick);
  return svg + fmt::format("<text class=\"axis\" x=\"4\" y=\"14\">{}</text>", escaped(a.name));
}

std::string axis_of_x(const axis& a, const scale& x, extent size) {
  const double base = size.height - bottom;
  auto svg = fmt::format("<path class=\"axisline\" d=\"M{} {:.1f}H{:.1f}\"/>", left, base, size.width - right);
  for (double tick : x.ticks)
    svg += fmt::format("<path class=\"axisline\" d=\"M{0:.1f} {1:.1f}v5\"/><text class=\"tick\" "
                       "text-anchor=\"middle\" x=\"{0:.1f}\" y=\"{2:.1f}\">{3:.4g}</text>",
                       x(tick), base, base + 18, tick);
  return svg
         + fmt::format("<text class=\"axis\" text-anchor=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
                       (left + size.width - right) / 2, size.height - 6, escaped(a.name));
}

std::string css_of(const series& one) {
  return one.style == no_shape ? "bound" : fmt::format("s{}{}", one.style % shape_count, one.strong ? " strong" : "");
}

/// The line, and its shape now and then.
std::string line_of(const series& one, const scale& x, const scale& y) {
  std::string path, marks;
  const size_t every = std::max<size_t>(one.points.size() / 6, 1);
  bool open = false;
  for (size_t k = 0; k < one.points.size(); ++k) {
    const auto [px, py] = one.points[k];
    if (!std::isfinite(py)) {
      open = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", std::exchange(open, true) ? 'L' : 'M', x(px), y(py));
    if (one.style != no_shape && (k + one.style * every / 4) % every == every / 2)
      marks += shape(one.style, x(px), y(py), css_of(one));
  }
  return fmt::format("<path class=\"line {}\" d=\"{}\"/>", css_of(one), path) + marks;
}

std::vector<double> values_of(const chart& what, double point::*which) {
  std::vector<double> values;
  for (const auto& one : what.all)
    for (const auto& p : one.points)
      values.push_back(p.*which);
  return values;
}

/// Where the name of a line stands: at its last point.
const point* last_of(const series& one) {
  const auto found = std::find_if(one.points.rbegin(), one.points.rend(), [](auto& p) { return std::isfinite(p.y); });
  return found == one.points.rend() ? nullptr : &*found;
}

} // namespace

std::string draw(const chart& what, extent size) {
  const auto x = scale_of(what.x, values_of(what, &point::x), left, size.width - right, size.width / 80);
  const auto y = scale_of(what.y, values_of(what, &point::y), size.height - bottom, top, size.height / 60);
  auto svg = axis_of_y(what.y, y, size) + axis_of_x(what.x, x, size);
  label_room room{{size.width, size.height - bottom}};
  for (const auto& one : what.all)
    if (const auto* end = last_of(one); end != nullptr && one.points.size() == 1) {
      room.block(x(end->x), y(end->y), 6);
      svg += shape(one.style, x(end->x), y(end->y), css_of(one));
    } else {
      svg += line_of(one, x, y);
    }
  for (const auto& one : what.all)
    if (const auto* end = last_of(one))
      svg += room.place(x(end->x), y(end->y), one.name, one.strong ? "name strong" : "name");
  return drawing(size, what.title, svg);
}

} // namespace gnomon::report
