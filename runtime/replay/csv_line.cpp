#include "runtime/base/ids.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/replay/trace_line.hpp"

#include <cmath>
#include <optional>
#include <vector>

namespace gnomon::replay {

namespace {

// Seconds; a later time is almost surely milliseconds by mistake.
constexpr double latest_time = 1e11;
constexpr size_t max_name_bytes = 256;

/// Takes one field off the front of `rest`; nothing when a quote stays open or text follows a closing quote.
std::optional<std::string> take_field(std::string_view& rest) {
  std::string field;
  if (!rest.starts_with('"')) {
    field = rest.substr(0, rest.find(','));
    rest.remove_prefix(field.size());
    return field;
  }
  rest.remove_prefix(1);
  for (;;) {
    auto quote = rest.find('"');
    if (quote == std::string_view::npos)
      return std::nullopt;
    field += rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
    if (!rest.starts_with('"'))
      break;
    field += '"';
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest.front() != ',')
    return std::nullopt;
  return field;
}

std::optional<std::vector<std::string>> split(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    auto field = take_field(line);
    if (!field)
      return std::nullopt;
    fields.push_back(std::move(*field));
    if (line.empty())
      return fields;
    line.remove_prefix(1);
  }
}

/// Empty when `text` is a usable time, which then stands in `t`; else the reason.
std::string read_time(const std::string& text, double& t) {
  auto number = parse_number<double>(text);
  if (!number || !std::isfinite(*number))
    return "the time \"" + text.substr(0, 40) + "\" is not a number of seconds";
  t = *number;
  if (t < 0)
    return "the time " + text + " is negative";
  if (t > latest_time)
    return "the time " + text + " is too large for seconds; is it in milliseconds?";
  return {};
}

std::string check_name(const std::string& name, std::string_view what) {
  if (name.empty())
    return "the " + std::string{what} + " is empty";
  if (name.size() > max_name_bytes)
    return "the " + std::string{what} + " is longer than 256 bytes";
  if (!is_utf8(name) || name.find('\0') != std::string::npos)
    return "the " + std::string{what} + " is not UTF-8 text";
  return {};
}

} // namespace

parsed_line parse_csv_line(std::string_view line) {
  if (line.starts_with("\xEF\xBB\xBF"))
    line.remove_prefix(3);
  if (line.empty() || line == "t,user,region,item")
    return no_read{};
  auto fields = split(line);
  if (!fields)
    return malformed{"a quoted field does not end"};
  if (fields->size() != 4)
    return malformed{"has " + std::to_string(fields->size()) + " fields instead of the 4 of t,user,region,item"};
  raw_read read;
  if (auto wrong = read_time((*fields)[0], read.t); !wrong.empty())
    return malformed{wrong};
  read.user = std::move((*fields)[1]);
  read.region = std::move((*fields)[2]);
  for (auto wrong : {check_name(read.user, "user"), check_name(read.region, "region")})
    if (!wrong.empty())
      return malformed{wrong};
  auto item = checked_id(std::move((*fields)[3]));
  if (!item)
    return malformed{"the item cannot be an id: " + sentence_of(item.error())};
  read.item = std::move(*item);
  return read;
}

} // namespace gnomon::replay
