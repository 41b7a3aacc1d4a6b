#include "runtime/gateway/dates.hpp"

#include "runtime/base/numbers.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>

namespace gnomon::http {

namespace {

constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct broken_down {
  std::chrono::year_month_day date;
  unsigned weekday;
  std::chrono::hh_mm_ss<duration> time;
};

broken_down break_down(timestamp when) {
  auto day = std::chrono::floor<std::chrono::days>(when);
  return {std::chrono::year_month_day{day}, std::chrono::weekday{day}.c_encoding(),
          std::chrono::hh_mm_ss<duration>{when - day}};
}

template <class Container>
std::optional<unsigned> position(const Container& names, std::string_view name) {
  for (unsigned i = 0; i < names.size(); ++i)
    if (names[i] == name)
      return i;
  return std::nullopt;
}

std::optional<int> digits(std::string_view text) {
  auto value = parse_number<int>(text);
  return value && *value >= 0 ? value : std::nullopt;
}

} // namespace

std::string rfc3339(timestamp when) {
  auto t = break_down(when);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(t.date.year()),
                     static_cast<unsigned>(t.date.month()), static_cast<unsigned>(t.date.day()), t.time.hours().count(),
                     t.time.minutes().count(), t.time.seconds().count(), t.time.subseconds().count());
}

std::string http_date(timestamp when) {
  auto t = break_down(when);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[t.weekday],
                     static_cast<unsigned>(t.date.day()), months[static_cast<unsigned>(t.date.month()) - 1],
                     static_cast<int>(t.date.year()), t.time.hours().count(), t.time.minutes().count(),
                     t.time.seconds().count());
}

std::optional<timestamp> parse_http_date(std::string_view text) {
  // Sun, 06 Nov 1994 08:49:37 GMT
  // 0    5  8   12   17 20 23 26
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT")
    return std::nullopt;
  auto month = position(months, text.substr(8, 3));
  auto day = digits(text.substr(5, 2)), year = digits(text.substr(12, 4));
  auto hour = digits(text.substr(17, 2)), minute = digits(text.substr(20, 2)), second = digits(text.substr(23, 2));
  if (!position(weekdays, text.substr(0, 3)) || !month || !day || !year || !hour || !minute || !second)
    return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{*month + 1},
                                   std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  return timestamp{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute}
         + std::chrono::seconds{*second};
}

} // namespace gnomon::http
