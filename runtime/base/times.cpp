#include "runtime/base/times.hpp"

#include "runtime/base/numbers.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace gnomon {

namespace {

constexpr double milliseconds_from = 1e11;
constexpr std::string_view digits = "0123456789";
constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// True when `text` begins like `pattern`, in which '0' stands for a digit and '*' for any character.
bool looks_like(std::string_view text, std::string_view pattern) {
  return text.size() >= pattern.size()
         && std::equal(pattern.begin(), pattern.end(), text.begin(), [](char wanted, char c) {
              return wanted == '*' || wanted == c || (wanted == '0' && digits.find(c) != digits.npos);
            });
}

/// The number that digits, which `looks_like` has found, spell.
unsigned number_at(std::string_view text, size_t at, size_t count) {
  return parse_number<unsigned>(text.substr(at, count)).value_or(0);
}

/// The month, from 1 on, with the name that stands there; 0 when none has it.
unsigned month_at(std::string_view text, size_t at) {
  const auto found = std::find(months.begin(), months.end(), text.substr(at, 3));
  return found == months.end() ? 0 : static_cast<unsigned>(found - months.begin()) + 1;
}

/// Seconds since 1970 of a day, and a time "00:00:00" in `text`.
std::optional<double> seconds_of(unsigned year, unsigned month, unsigned day, std::string_view text) {
  const std::chrono::year_month_day calendar{std::chrono::year{static_cast<int>(year)}, std::chrono::month{month},
                                             std::chrono::day{day}};
  const auto hour = number_at(text, 0, 2), minute = number_at(text, 3, 2), second = number_at(text, 6, 2);
  if (!calendar.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const auto days = std::chrono::sys_days{calendar}.time_since_epoch().count();
  return days * 86400.0 + hour * 3600.0 + minute * 60.0 + second;
}

/// How far the clock that wrote "Z", or a zone like `pattern`, is ahead, in seconds.
std::optional<double> offset_of(std::string_view zone, std::string_view pattern) {
  if (zone == "Z" || zone == "z")
    return 0;
  if (zone.size() != pattern.size() || !looks_like(zone, pattern) || (zone[0] != '+' && zone[0] != '-'))
    return std::nullopt;
  const auto hours = number_at(zone, 1, 2), minutes = number_at(zone, zone.size() - 2, 2);
  if (hours > 23 || minutes > 59)
    return std::nullopt;
  return (hours * 3600.0 + minutes * 60.0) * (zone[0] == '-' ? -1 : 1);
}

struct broken_down {
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  std::chrono::hh_mm_ss<duration> time;
};

broken_down break_down(timestamp when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  return {std::chrono::year_month_day{day}, std::chrono::weekday{day}, std::chrono::hh_mm_ss<duration>{when - day}};
}

} // namespace

std::optional<double> seconds_of_rfc3339(std::string_view text) {
  constexpr std::string_view pattern = "0000-00-00*00:00:00";
  if (!looks_like(text, pattern) || std::string_view{"Tt "}.find(text[10]) == std::string_view::npos)
    return std::nullopt;
  const auto seconds = seconds_of(number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2), text.substr(11));
  text.remove_prefix(pattern.size());
  double fraction = 0;
  if (text.starts_with('.')) {
    const auto end = std::min(text.find_first_not_of(digits, 1), text.size());
    fraction = parse_number<double>("0" + std::string{text.substr(0, end)}).value_or(0);
    text.remove_prefix(end);
  }
  const auto offset = offset_of(text, "*00:00");
  if (!seconds || !offset)
    return std::nullopt;
  return *seconds + fraction - *offset;
}

std::string rfc3339(timestamp when) {
  const auto t = break_down(when);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(t.date.year()),
                     static_cast<unsigned>(t.date.month()), static_cast<unsigned>(t.date.day()), t.time.hours().count(),
                     t.time.minutes().count(), t.time.seconds().count(), t.time.subseconds().count());
}

std::string http_date(timestamp when) {
  const auto t = break_down(when);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[t.weekday.c_encoding()],
                     static_cast<unsigned>(t.date.day()), months[static_cast<unsigned>(t.date.month()) - 1],
                     static_cast<int>(t.date.year()), t.time.hours().count(), t.time.minutes().count(),
                     t.time.seconds().count());
}

std::optional<timestamp> parse_http_date(std::string_view text) {
  constexpr std::string_view pattern = "***, 00 *** 0000 00:00:00 GMT";
  if (text.size() != pattern.size() || !looks_like(text, pattern)
      || std::find(weekdays.begin(), weekdays.end(), text.substr(0, 3)) == weekdays.end())
    return std::nullopt;
  const auto seconds = seconds_of(number_at(text, 12, 4), month_at(text, 8), number_at(text, 5, 2), text.substr(17));
  if (!seconds)
    return std::nullopt;
  return timestamp{std::chrono::seconds{static_cast<int64_t>(*seconds)}};
}

std::optional<double> seconds_of_log_date(std::string_view text) {
  constexpr std::string_view pattern = "00/***/0000:00:00:00 ";
  if (!looks_like(text, pattern))
    return std::nullopt;
  const auto seconds = seconds_of(number_at(text, 7, 4), month_at(text, 3), number_at(text, 0, 2), text.substr(12));
  const auto offset = offset_of(text.substr(pattern.size()), "*0000");
  if (!seconds || !offset)
    return std::nullopt;
  return *seconds - *offset;
}

std::optional<double> trace_seconds(double number) {
  const auto seconds = number >= milliseconds_from ? number / 1000 : number;
  if (!(seconds >= 0 && seconds < UINT32_MAX))
    return std::nullopt;
  return seconds;
}

std::optional<double> trace_seconds(std::string_view text) {
  if (const auto number = parse_number<double>(text))
    return trace_seconds(*number);
  const auto seconds = seconds_of_rfc3339(text);
  return seconds && *seconds < milliseconds_from ? trace_seconds(*seconds) : std::nullopt;
}

} // namespace gnomon
