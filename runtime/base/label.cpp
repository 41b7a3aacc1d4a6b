#include "runtime/base/label.hpp"

#include <openssl/sha.h>

#include <algorithm>

namespace gnomon {

namespace {

constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";

constexpr auto value_of_digit = [] {
  std::array<uint8_t, 256> values{};
  values.fill(0xff);
  for (size_t value = 0; value < digits.size(); ++value) {
    const auto digit = static_cast<uint8_t>(digits[value]);
    values[digit] = static_cast<uint8_t>(value);
    if (digit >= 'a')
      values[digit - 'a' + 'A'] = static_cast<uint8_t>(value);
  }
  return values;
}();

} // namespace

item_label label_bytes_of(std::string_view id) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(id.data()), id.size(), digest.data());
  item_label bytes;
  std::copy_n(digest.begin(), bytes.size(), bytes.begin());
  return bytes;
}

std::string label_of(std::string_view id) {
  return to_string(label_bytes_of(id));
}

// Five bytes are eight characters, so nothing is left over.
std::string to_string(const item_label& bytes) {
  std::string text;
  text.reserve(label_text_size);
  for (size_t at = 0; at < bytes.size(); at += 5) {
    uint64_t bits = 0;
    for (size_t i = 0; i < 5; ++i)
      bits = bits << 8 | bytes[at + i];
    for (int shift = 35; shift >= 0; shift -= 5)
      text += digits[bits >> shift & 31];
  }
  return text;
}

std::optional<item_label> parse_label(std::string_view text) {
  if (text.size() != label_text_size)
    return std::nullopt;
  item_label bytes;
  for (size_t group = 0; group < 4; ++group) {
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; ++i) {
      const auto value = value_of_digit[static_cast<uint8_t>(text[group * 8 + i])];
      if (value == 0xff)
        return std::nullopt;
      bits = bits << 5 | value;
    }
    for (size_t i = 0; i < 5; ++i)
      bytes[group * 5 + i] = static_cast<uint8_t>(bits >> (32 - 8 * i));
  }
  return bytes;
}

} // namespace gnomon
