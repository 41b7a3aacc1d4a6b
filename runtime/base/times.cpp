#include "runtime/base/times.hpp"

#include "runtime/base/numbers.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

namespace gnomon {

namespace {

constexpr double milliseconds_from = 1e11;
constexpr std::string_view digits = "0123456789";

/// The number that the digits of `text` from `at` on spell; nothing when one of them is none.
std::optional<unsigned> number_at(std::string_view text, size_t at, size_t count) {
  const auto part = text.substr(std::min(at, text.size()), count);
  if (part.size() != count || part.find_first_not_of(digits) != part.npos)
    return std::nullopt;
  return parse_number<unsigned>(part);
}

/// "Z", "+02:00": how far the clock that wrote it is ahead, in seconds.
std::optional<double> offset_of(std::string_view zone) {
  if (zone == "Z" || zone == "z")
    return 0;
  const auto hours = number_at(zone, 1, 2), minutes = number_at(zone, 4, 2);
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || !hours || !minutes || *hours > 23
      || *minutes > 59)
    return std::nullopt;
  return (*hours * 3600.0 + *minutes * 60.0) * (zone[0] == '-' ? -1 : 1);
}

} // namespace

std::optional<double> seconds_of(int year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                                 unsigned second) {
  const std::chrono::year_month_day calendar{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (!calendar.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const auto days = std::chrono::sys_days{calendar}.time_since_epoch().count();
  return days * 86400.0 + hour * 3600.0 + minute * 60.0 + second;
}

std::optional<double> seconds_of_rfc3339(std::string_view text) {
  constexpr std::string_view pattern = "0000-00-00T00:00:00";
  if (text.size() <= pattern.size() || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':'
      || std::string_view{"Tt "}.find(text[10]) == std::string_view::npos)
    return std::nullopt;
  const auto year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2),
             hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second)
    return std::nullopt;
  const auto seconds = seconds_of(static_cast<int>(*year), *month, *day, *hour, *minute, *second);
  text.remove_prefix(pattern.size());
  double fraction = 0;
  if (text.starts_with('.')) {
    const auto end = std::min(text.find_first_not_of(digits, 1), text.size());
    fraction = parse_number<double>("0" + std::string{text.substr(0, end)}).value_or(0);
    text.remove_prefix(end);
  }
  const auto offset = offset_of(text);
  if (!seconds || !offset)
    return std::nullopt;
  return *seconds + fraction - *offset;
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
