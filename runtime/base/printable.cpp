#include "runtime/base/printable.hpp"

#include "runtime/base/ids.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon {

namespace {

/// Of a well-formed character.
uint32_t code_point(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  uint32_t code = character.size() == 1 ? lead : lead & (0x7F >> character.size());
  for (auto c : character.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

} // namespace

size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return length <= text.size() && is_utf8(text.substr(0, length)) ? length : 0;
}

bool commands_terminal(std::string_view character) {
  const auto code = code_point(character);
  auto among = [code](uint32_t first, uint32_t last) { return code >= first && code <= last; };
  return code < 0x20 || among(0x7F, 0x9F)                                       // controls
         || code == 0x061C || among(0x200E, 0x200F) || among(0x202A, 0x202E)    // direction of writing
         || among(0x2066, 0x2069) || among(0x2028, 0x2029)                      // the same; ends of lines
         || code == 0xFEFF || among(0xFFF9, 0xFFFB) || among(0xE0000, 0xE007F); // marks that nobody sees
}

std::string printable(std::string_view text, std::string_view kept) {
  std::string result;
  while (!text.empty()) {
    const auto length = character_length(text);
    const auto shown = length > 0 && (!commands_terminal(text.substr(0, length)) || kept.find(text[0]) != kept.npos);
    if (shown)
      result += text.substr(0, length);
    else
      for (auto byte : text.substr(0, std::max<size_t>(length, 1)))
        result += fmt::format("\\x{:02X}", static_cast<unsigned char>(byte));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

} // namespace gnomon
