#include "runtime/access/role.hpp"

#include "runtime/base/id_rules.hpp"
#include "runtime/base/trimmed.hpp"

#include <algorithm>
#include <array>

namespace gnomon {

namespace {

constexpr std::array<std::string_view, 4> names{"none", "read", "write", "admin"};
constexpr size_t longest_type = 256;

/// Cuts off what stands before the next blank.
std::string_view next_word(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest = trimmed(rest.substr(end));
  return word;
}

} // namespace

std::string_view name(role what) {
  return names[static_cast<size_t>(what)];
}

std::optional<role> role_from(std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end())
    return std::nullopt;
  return static_cast<role>(found - names.begin());
}

bool grant::covers(std::string_view type) const {
  return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
}

std::optional<named_grant> parse_named_grant(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos)
    return std::nullopt;
  auto rest = trimmed(text.substr(equals + 1));
  const auto what = role_from(next_word(rest));
  named_grant found{std::string{trimmed(text.substr(0, equals))}, {}};
  if (!is_plain_name(found.name) || !what || *what == role::none)
    return std::nullopt;
  found.rights = {"certificate " + found.name, *what};
  while (!rest.empty()) {
    const auto type = next_word(rest);
    if (!is_data_type(type))
      return std::nullopt;
    found.rights.types.emplace_back(type);
  }
  return found;
}

bool is_data_type(std::string_view text) {
  return !text.empty() && text.size() <= longest_type && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<uint8_t>(c) <= ' ' || c == ',' || c == '/' || c == 0x7F;
  });
}

} // namespace gnomon
