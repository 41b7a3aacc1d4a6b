#include "runtime/gateway/accept.hpp"

#include "runtime/gateway/message.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

constexpr int full = 1000;

// How precisely a range says what it is about.
enum class precision { none, anything, family, with_unknown_parameters, name, with_charset };

// Cuts off what stands before the next separator that is in no quoted text.
std::string_view cut(std::string_view& rest, char separator) {
  auto quoted = false;
  size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != separator); ++end) {
    if (rest[end] == '"')
      quoted = !quoted;
    else if (quoted && rest[end] == '\\')
      ++end;
  }
  end = std::min(end, rest.size());
  auto part = trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return part;
}

// "0.5" as 500.
int weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.'))
    return full;
  auto result = (text[0] - '0') * full;
  auto digit = full / 10;
  for (size_t i = 2; i < text.size(); ++i, digit /= 10) {
    if (text[i] < '0' || text[i] > '9')
      return full;
    result += (text[i] - '0') * digit;
  }
  return std::min(result, full);
}

precision precision_of(std::string_view range, std::string_view type) {
  if (same_ignoring_case(range, type))
    return precision::name;
  if (range == "*/*")
    return precision::anything;
  auto family = type.substr(0, type.find('/') + 1);
  auto is_family = range.size() == family.size() + 1 && range.back() == '*'
                   && same_ignoring_case(range.substr(0, family.size()), family);
  return is_family ? precision::family : precision::none;
}

precision with_parameter(precision so_far, std::string_view name, std::string_view value) {
  if (value.size() > 1 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  auto charset = same_ignoring_case(name, "charset") && same_ignoring_case(value, "utf-8");
  if (so_far != precision::name && so_far != precision::with_charset)
    return so_far;
  return charset ? precision::with_charset : precision::with_unknown_parameters;
}

} // namespace

welcome welcome_of(std::string_view accept, std::string_view type) {
  auto best = precision::none;
  int thousandths = 0;
  while (!accept.empty()) {
    auto range = cut(accept, ',');
    auto match = precision_of(cut(range, ';'), type);
    auto its_weight = full;
    while (!range.empty()) {
      auto value = cut(range, ';');
      auto name = cut(value, '=');
      if (same_ignoring_case(name, "q")) {
        its_weight = weight(trimmed(value));
        break; // what follows is no parameter of the media type
      }
      match = with_parameter(match, name, trimmed(value));
    }
    if (match == precision::none || match < best)
      continue;
    thousandths = match > best ? its_weight : std::max(thousandths, its_weight);
    best = match;
  }
  return {thousandths, best >= precision::with_unknown_parameters};
}

} // namespace gnomon::http
