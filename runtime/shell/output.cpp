#include "runtime/shell/output.hpp"

#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace gnomon::shell {

namespace {

constexpr std::string_view gap = "  ";

std::string_view code(style s) {
  switch (s) {
  case style::heading:
    return "\033[1m";
  case style::good:
    return "\033[32m";
  case style::warning:
    return "\033[33m";
  case style::bad:
    return "\033[31m";
  case style::faint:
    return "\033[2m";
  case style::plain:
    break;
  }
  return "";
}

size_t width_of_terminal() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

terminal terminal::of_process() {
  auto tty = ::isatty(STDOUT_FILENO) == 1;
  auto no_color = std::getenv("NO_COLOR");
  auto kind = std::getenv("TERM");
  auto dumb = kind && std::string_view{kind} == "dumb";
  return {.out = std::cout,
          .err = std::cerr,
          .out_is_tty = tty,
          .err_is_tty = ::isatty(STDERR_FILENO) == 1,
          .colour = tty && !dumb && !(no_color && *no_color),
          .width = tty ? width_of_terminal() : 80};
}

bool terminal::reader_gone() const {
  pollfd reader{STDOUT_FILENO, 0, 0};
  return !out.good() || (::poll(&reader, 1, 0) == 1 && (reader.revents & (POLLERR | POLLHUP)) != 0);
}

std::string terminal::paint(style s, std::string_view text) const {
  if (!colour || s == style::plain)
    return std::string{text};
  return fmt::format("{}{}\033[0m", code(s), text);
}

table::table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

void table::row(std::vector<cell> cells) {
  for (auto& c : cells)
    c.text = printable(c.text);
  cells.resize(headings_.size(), cell{""});
  rows_.push_back(std::move(cells));
}

void table::print(const terminal& to) const {
  std::vector<size_t> widths(headings_.size());
  for (size_t i = 0; i < headings_.size(); ++i) {
    for (auto& r : rows_)
      widths[i] = std::max(widths[i], columns(r[i].text));
    if (widths[i] > 0)
      widths[i] = std::max(widths[i], columns(headings_[i]) - (headings_[i].front() == '>'));
  }
  auto print_row = [&](auto&& cell_at) {
    std::string line;
    size_t owed = 0; // blanks that are only written when something follows
    for (size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] == 0)
        continue;
      auto [text, look] = cell_at(i);
      auto space = widths[i] - columns(text);
      auto right = headings_[i].front() == '>';
      if (!text.empty()) {
        line.append(owed + (right ? space : 0), ' ');
        line += to.paint(look, text);
        owed = (right ? 0 : space) + gap.size();
      } else {
        owed += widths[i] + gap.size();
      }
    }
    to.out << line << '\n';
  };
  print_row([&](size_t i) {
    auto& h = headings_[i];
    return std::pair{h.front() == '>' ? h.substr(1) : h, style::heading};
  });
  for (auto& r : rows_)
    print_row([&](size_t i) { return std::pair{r[i].text, r[i].look}; });
}

size_t columns(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::string human_bytes(uint64_t bytes) {
  if (bytes < 1024)
    return fmt::format("{} B", bytes);
  static constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = bytes / 1024.0;
  size_t unit = 0;
  for (; value >= 1023.95 && unit < 5; ++unit)
    value /= 1024;
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string human_count(uint64_t count) {
  auto text = std::to_string(count);
  for (auto at = text.size(); at > 3;)
    text.insert(at -= 3, 1, ',');
  return text;
}

std::string human_duration(std::chrono::milliseconds span) {
  auto ms = span.count();
  if (ms < 1000)
    return fmt::format("{} ms", ms);
  auto s = ms / 1000;
  if (s < 120)
    return fmt::format("{} s", s);
  if (s < 2 * 3600)
    return fmt::format("{} min", s / 60);
  if (s < 48 * 3600)
    return s % 3600 < 60 ? fmt::format("{} h", s / 3600) : fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
  return fmt::format("{} d", s / 86400);
}

std::string human_ms(double ms) {
  return ms < 100 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.0f} ms", ms);
}

std::string human_time(timestamp when, timestamp now) {
  if (when == timestamp{})
    return "never";
  auto span = std::chrono::duration_cast<std::chrono::milliseconds>(when - now);
  return span.count() >= 0 ? "in " + human_duration(span) : human_duration(-span) + " ago";
}

} // namespace gnomon::shell
