#include "runtime/gateway/uri.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::http {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  auto lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool unreserved(char c) {
  auto lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9')
         || std::string_view{"-._~/"}.find(c) != std::string::npos;
}

} // namespace

expected<std::string> percent_decode(std::string_view text, bool form) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += form && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    auto high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    auto low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return make_error(ec::invalid_argument,
                        "the address has a '%' without two hexadecimal digits behind it; write a percent sign as %25");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

std::string percent_encode(std::string_view text) {
  std::string result;
  for (auto c : text) {
    if (unreserved(c))
      result += c;
    else
      result += fmt::format("%{:02X}", static_cast<uint8_t>(c));
  }
  return result;
}

expected<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  while (!query.empty()) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    auto key = percent_decode(pair.substr(0, pair.find('=')), true);
    if (!key)
      return key.error();
    if (*key != name)
      continue;
    if (found)
      return make_error(ec::invalid_argument,
                        "the query parameter " + std::string{name} + " is there twice; give it once");
    auto equals = pair.find('=');
    auto value = percent_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!value)
      return value.error();
    found = std::move(*value);
  }
  return found;
}

} // namespace gnomon::http
