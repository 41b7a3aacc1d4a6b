#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gnomon::dns {

using bytes_view = std::span<const uint8_t>;

/// A domain name as on the wire (RFC 1035, section 3.1), uncompressed, in lower case, with the root's empty label: 1 to
/// 255 bytes.
using wire_name = std::string;

constexpr size_t max_name_size = 255;
constexpr size_t max_label_size = 63;

/// A-Z to a-z, all other bytes as they are (RFC 4343). Pure.
constexpr uint8_t lower(uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte + 32) : byte;
}

/// Reads `example.com` or `example.com.`; "." is the root. Nothing when a label is empty or has more than 63 bytes,
/// when the name has more than 255, or when a label has other characters than letters, digits, '-' and '_'.
std::optional<wire_name> parse_name(std::string_view text);

/// `name` as text without the last dot; bytes that are not printable, dots and backslashes as RFC 1035, section 5.1
/// says.
std::string to_text(std::string_view name);

/// `label` in front of `parent`; nothing when parse_name would refuse the result.
std::optional<wire_name> child_name(std::string_view label, const wire_name& parent);

} // namespace gnomon::dns
