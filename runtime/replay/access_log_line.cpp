#include "runtime/base/ids.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/replay/trace_line.hpp"

#include <arpa/inet.h>

#include <array>
#include <chrono>
#include <cstring>
#include <optional>

namespace gnomon::replay {

namespace {

using std::string_view;

/// The parts of a line that matter here: host, [date], "request" and status.
struct log_parts {
  string_view host;
  string_view date;
  string_view request;
  string_view status;
};

/// The end of a quoted text that starts at `from`, past escaped quotes; npos when it does not end.
size_t closing_quote(string_view line, size_t from) {
  for (auto i = from; i < line.size(); ++i) {
    if (line[i] == '\\')
      ++i;
    else if (line[i] == '"')
      return i;
  }
  return string_view::npos;
}

std::optional<log_parts> take_apart(string_view line) {
  log_parts parts;
  auto open = line.find(" [");
  auto close = line.find("] \"", open);
  if (open == string_view::npos || close == string_view::npos)
    return std::nullopt;
  parts.host = line.substr(0, line.find(' '));
  parts.date = line.substr(open + 2, close - open - 2);
  auto request = close + 3;
  auto quote = closing_quote(line, request);
  if (parts.host.empty() || quote == string_view::npos || line.substr(quote + 1, 1) != " ")
    return std::nullopt;
  parts.request = line.substr(request, quote - request);
  auto status = line.substr(quote + 2);
  parts.status = status.substr(0, status.find(' '));
  return parts;
}

std::optional<unsigned> month(string_view name) {
  static constexpr std::array<string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < names.size(); ++i)
    if (names[i] == name)
      return i + 1;
  return std::nullopt;
}

/// Seconds since 1970 UTC of a date such as "17/May/2015:10:05:03 +0000".
std::optional<double> seconds_of(string_view date) {
  static constexpr string_view pattern = "00/AAA/0000:00:00:00 +0000";
  if (date.size() != pattern.size() || date[2] != '/' || date[6] != '/' || date[11] != ':' || date[14] != ':'
      || date[17] != ':' || date[20] != ' ' || (date[21] != '+' && date[21] != '-'))
    return std::nullopt;
  auto day = parse_number<unsigned>(date.substr(0, 2));
  auto name = month(date.substr(3, 3));
  auto year = parse_number<unsigned>(date.substr(7, 4));
  auto hour = parse_number<unsigned>(date.substr(12, 2));
  auto minute = parse_number<unsigned>(date.substr(15, 2));
  auto second = parse_number<unsigned>(date.substr(18, 2));
  auto zone_hours = parse_number<unsigned>(date.substr(22, 2));
  auto zone_minutes = parse_number<unsigned>(date.substr(24, 2));
  if (!day || !name || !year || !hour || !minute || !second || !zone_hours || !zone_minutes)
    return std::nullopt;
  std::chrono::year_month_day calendar{std::chrono::year{static_cast<int>(*year)}, std::chrono::month{*name},
                                       std::chrono::day{*day}};
  if (!calendar.ok() || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  auto days = std::chrono::sys_days{calendar}.time_since_epoch().count();
  auto zone = (*zone_hours * 60.0 + *zone_minutes) * (date[21] == '-' ? -60 : 60);
  return days * 86400.0 + *hour * 3600 + *minute * 60 + *second - zone;
}

/// The path of a request target, without host, query and fragment; empty when it is no path.
string_view path_of(string_view target) {
  if (auto scheme = target.find("://"); scheme != string_view::npos && !target.starts_with('/')) {
    auto slash = target.find('/', scheme + 3);
    target = slash == string_view::npos ? "/" : target.substr(slash);
  }
  target = target.substr(0, target.find_first_of("?#"));
  return target.starts_with('/') ? target : string_view{};
}

bool was_answered(unsigned status) {
  return (status >= 200 && status < 300) || status == 304;
}

} // namespace

bool looks_like_access_log(string_view line) {
  auto parts = take_apart(line);
  return parts && seconds_of(parts->date);
}

parsed_line parse_access_log_line(string_view line) {
  if (line.empty())
    return no_read{};
  auto parts = take_apart(line);
  if (!parts)
    return malformed{"is not host, identity, user, [date], \"request\" and status"};
  auto t = seconds_of(parts->date);
  if (!t)
    return malformed{"the date [" + std::string{parts->date.substr(0, 40)}
                     + "] is not like 17/May/2015:10:05:03 +0000"};
  auto status = parse_number<unsigned>(parts->status);
  if (!status || *status < 100 || *status > 599)
    return malformed{"the status \"" + std::string{parts->status.substr(0, 20)} + "\" is not one of HTTP"};
  auto method = parts->request.substr(0, parts->request.find(' '));
  if (method != "GET" || !was_answered(*status))
    return no_read{};
  auto target = parts->request.substr(std::min(method.size() + 1, parts->request.size()));
  auto path = path_of(target.substr(0, target.find(' ')));
  if (path.empty())
    return malformed{"the request \"" + std::string{parts->request.substr(0, 60)} + "\" names no path"};
  auto item = checked_id("web" + std::string{path});
  if (!item)
    return malformed{"the path cannot be an id: " + sentence_of(item.error())};
  return raw_read{*t, std::string{parts->host}, {}, std::move(*item)};
}

std::string network_of(string_view client) {
  std::string text{client};
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1)
    return std::to_string(bytes[0]) + '.' + std::to_string(bytes[1]) + ".0.0/16";
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    std::array<char, INET6_ADDRSTRLEN> name{};
    std::fill(bytes.begin() + 4, bytes.end(), 0);
    inet_ntop(AF_INET6, bytes.data(), name.data(), name.size());
    return std::string{name.data()} + "/32";
  }
  return text;
}

} // namespace gnomon::replay
