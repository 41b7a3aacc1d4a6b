#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gnomon {

/// RFC 4648, section 4, with padding.
std::string base64_encode(std::string_view bytes);
/// Nothing for text that `base64_encode` never makes. Missing padding is accepted.
std::optional<std::string> base64_decode(std::string_view text);

} // namespace gnomon
