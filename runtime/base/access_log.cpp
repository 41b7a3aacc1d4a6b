#include "runtime/base/access_log.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/base/times.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

namespace gnomon {

namespace {

using std::string_view;

/// The parts of a line that matter here: what stands before the date, [date], "request" and status.
struct log_parts {
  string_view front;
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
  auto close = line.find("] \"");
  auto open = line.substr(0, close).rfind(" [");
  if (open == string_view::npos || close == string_view::npos)
    return std::nullopt;
  parts.front = line.substr(0, open);
  parts.date = line.substr(open + 2, close - open - 2);
  auto request = close + 3;
  auto quote = closing_quote(line, request);
  if (quote == string_view::npos || line.substr(quote + 1, 1) != " ")
    return std::nullopt;
  parts.request = line.substr(request, quote - request);
  auto status = line.substr(quote + 2);
  parts.status = status.substr(0, status.find(' '));
  return parts;
}

/// Seconds since 1970 UTC of a date that may stand in a trace.
std::optional<double> seconds_of_date(string_view date) {
  const auto seconds = seconds_of_log_date(date);
  return seconds ? trace_seconds(*seconds) : std::nullopt;
}

// -- the client -------------------------------------------------------------------------------------------------------

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool is_port(string_view text) {
  return parse_number<uint16_t>(text).has_value();
}

/// The address that a word is, without the brackets and the port that it may have.
std::optional<std::string> address_in(string_view word) {
  if (is_address(std::string{word}))
    return std::string{word};
  auto colon = word.rfind(':');
  if (colon != string_view::npos && is_port(word.substr(colon + 1)))
    word = word.substr(0, colon);
  if (word.starts_with('[') && word.ends_with(']'))
    word = word.substr(1, word.size() - 2);
  std::string text{word};
  return is_address(text) ? std::optional{text} : std::nullopt;
}

bool is_host_name(string_view word) {
  return !word.empty() && word != "-" && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_';
  });
}

/// The name of a virtual host, perhaps with its port.
bool is_virtual_host(string_view word) {
  auto colon = word.rfind(':');
  auto with_port = colon != string_view::npos && is_port(word.substr(colon + 1));
  return word == "-" || address_in(word) || is_host_name(with_port ? word.substr(0, colon) : word);
}

std::vector<string_view> words_of(string_view text) {
  std::vector<string_view> words;
  for (size_t begin = 0; begin <= text.size();) {
    auto end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

/// The client that made a request. Before the date stand client, identity and user, whose name may have blanks; some
/// servers write the name of the virtual host in front of these. Nothing where it is not certain which word is the
/// client.
std::optional<std::string> client_of(string_view front) {
  const auto words = words_of(front);
  if (words.size() < 3)
    return std::nullopt;
  const auto first = address_in(words[0]), second = address_in(words[1]);
  if (words.size() > 3 && second) // no identity is an address: this is the client, behind a virtual host
    return is_virtual_host(words[0]) ? second : std::nullopt;
  if (second)
    return std::nullopt;
  if (first)
    return first;
  if (!is_host_name(words[0]))
    return std::nullopt;
  if (words.size() == 3 || words[1] == "-")
    return std::string{words[0]};
  const auto named = is_host_name(words[1]) && words[1].find('.') != string_view::npos && words[2] == "-";
  return named ? std::optional{std::string{words[1]}} : std::nullopt;
}

// -- the request ------------------------------------------------------------------------------------------------------

/// Undoes what servers do to quotes, backslashes and bytes that cannot be shown: \", \\, \t, \x1F.
std::string unescaped(string_view text) {
  static constexpr string_view names = "nrtvbf\"\\", meant = "\n\r\t\v\b\f\"\\";
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const auto* hex = text.data() + i + 2;
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x'
        && std::from_chars(hex, hex + 2, byte, 16).ptr == hex + 2) {
      result += static_cast<char>(byte);
      i += 3;
    } else if (auto name = i + 1 < text.size() ? names.find(text[i + 1]) : names.npos;
               text[i] == '\\' && name != names.npos) {
      result += meant[name];
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// What stands between the method and the version, which HTTP/0.9 lacks. A blank is part of it only when the version
/// tells where it ends. Empty when there is none.
string_view target_of(string_view request) {
  auto blank = request.find(' ');
  if (blank == string_view::npos)
    return {};
  auto rest = request.substr(blank + 1);
  auto last = rest.rfind(' ');
  if (last != string_view::npos && rest.substr(last).starts_with(" HTTP/"))
    return rest.substr(0, last);
  return last == string_view::npos ? rest : string_view{};
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

} // namespace

bool looks_like_access_log(string_view line) {
  auto parts = take_apart(line);
  return parts && seconds_of_date(parts->date);
}

parsed_line parse_access_log_line(string_view line) {
  auto parts = take_apart(line);
  if (!parts)
    return malformed{"is not host, identity, user, [date], \"request\" and status"};
  auto t = seconds_of_date(parts->date);
  if (!t)
    return malformed{"the date [" + std::string{parts->date.substr(0, 40)}
                     + "] is not like 17/May/2015:10:05:03 +0000"};
  auto status = parse_number<unsigned>(parts->status);
  if (!status || *status < 100 || *status > 599)
    return malformed{"the status \"" + std::string{parts->status.substr(0, 20)} + "\" is not one of HTTP"};
  if (parts->request.substr(0, parts->request.find(' ')) != "GET")
    return no_read::other_method;
  if (*status / 100 == 3 && *status != 304)
    return no_read::redirected;
  if (*status / 100 != 2 && *status != 304)
    return no_read::failed;
  auto client = client_of(parts->front);
  if (!client)
    return malformed{"does not tell which of \"" + std::string{parts->front.substr(0, 60)} + "\" is the client"};
  auto path = path_of(target_of(parts->request));
  if (path.empty())
    return malformed{"the request \"" + std::string{parts->request.substr(0, 60)} + "\" names no path"};
  auto item = checked_id("web" + unescaped(path));
  if (!item)
    return malformed{"the path cannot be an id: " + sentence_of(item.error())};
  return raw_read{*t, std::move(*client), {}, std::move(*item)};
}

} // namespace gnomon
