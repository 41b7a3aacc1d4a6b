#include "runtime/dns/name.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::dns {

namespace {

bool is_host_character(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool append_label(wire_name& name, std::string_view label) {
  if (label.empty() || label.size() > max_label_size)
    return false;
  name += static_cast<char>(label.size());
  for (const char c : label) {
    const auto small = lower(static_cast<uint8_t>(c));
    if (!is_host_character(small))
      return false;
    name += static_cast<char>(small);
  }
  return true;
}

} // namespace

std::optional<wire_name> parse_name(std::string_view text) {
  if (text.ends_with('.'))
    text.remove_suffix(1);
  else if (text.empty())
    return std::nullopt;
  wire_name name;
  while (!text.empty()) {
    const auto dot = text.find('.');
    if (!append_label(name, text.substr(0, dot)))
      return std::nullopt;
    text = dot == text.npos ? std::string_view{} : text.substr(dot + 1);
    if (dot != std::string_view::npos && text.empty())
      return std::nullopt;
  }
  name += '\0';
  return name.size() <= max_name_size ? std::optional(name) : std::nullopt;
}

std::string to_text(std::string_view name) {
  std::string text;
  for (size_t at = 0; at < name.size() && name[at] != 0; at += 1 + static_cast<uint8_t>(name[at])) {
    if (!text.empty())
      text += '.';
    for (const char c : name.substr(at + 1, static_cast<uint8_t>(name[at]))) {
      const auto byte = static_cast<uint8_t>(c);
      if (c == '.' || c == '\\')
        text += {'\\', c};
      else if (byte > 32 && byte < 127)
        text += c;
      else
        text += fmt::format("\\{:03}", byte);
    }
  }
  return text.empty() ? "." : text;
}

std::optional<wire_name> child_name(std::string_view label, const wire_name& parent) {
  wire_name name;
  if (!append_label(name, label) || name.size() + parent.size() > max_name_size)
    return std::nullopt;
  return name + parent;
}

} // namespace gnomon::dns
