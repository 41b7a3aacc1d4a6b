#include "runtime/base/percent.hpp"

#include <spdlog/fmt/fmt.h>

#include <cstdint>

namespace gnomon {

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

} // namespace gnomon
