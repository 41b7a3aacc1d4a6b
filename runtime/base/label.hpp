#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gnomon {

/// What names an item in DNS, where ids do not fit: the first 20 bytes of the SHA-256 of its id. As text it is
/// base32hex (RFC 4648, section 7) in lower case without padding: 32 characters, one DNS label.
using item_label = std::array<uint8_t, 20>;

constexpr size_t label_text_size = 32;

/// The label of an item. Pure; needs libcrypto.
item_label label_bytes_of(std::string_view id);

/// The same as text: `label_of("a")` is "pabo24ma3euslum266ppk8us9mjodrvo".
std::string label_of(std::string_view id);

std::string to_string(const item_label& bytes);

/// Reads 32 characters of base32hex in either case, as DNS names have no case; nothing for other text.
std::optional<item_label> parse_label(std::string_view text);

} // namespace gnomon
