#include "runtime/base/host_port.hpp"

#include "runtime/base/numbers.hpp"

namespace gnomon {

std::string to_string(const host_port& where) {
  if (where.empty())
    return {};
  const auto is_v6 = where.host.find(':') != std::string::npos;
  return (is_v6 ? '[' + where.host + ']' : where.host) + ':' + std::to_string(where.port);
}

std::optional<host_port> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  const auto port = parse_number<uint16_t>(text.substr(colon + 1));
  const auto in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets)
    host = host.substr(1, host.size() - 2);
  const auto is_v6 = host.find(':') != std::string_view::npos;
  if (!port || host.empty() || in_brackets != is_v6 || host.find_first_of("[]/@?# ") != std::string_view::npos)
    return std::nullopt;
  return host_port{std::string{host}, *port};
}

} // namespace gnomon
