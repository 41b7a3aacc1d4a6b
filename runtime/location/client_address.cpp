#include "runtime/location/client_address.hpp"

#include "runtime/base/trimmed.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace gnomon {

namespace {

constexpr std::string_view blanks = " \t";
constexpr size_t most_hops = 32; // as long as no chain of proxies is; bounds what a hostile header can cost

/// The parts of `text` between `separator`, but not where it stands inside of quotes.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (text[i] == separator && !quoted) {
      parts.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(trimmed(text.substr(std::min(begin, text.size()))));
  return parts;
}

/// True when quotes stand around whole values only. Otherwise a client could open a quote that ends inside of what the
/// proxy appended, and so hide that.
bool has_whole_quotes(std::string_view header) {
  auto before = ',';
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i] == '"') {
      if (before != ',' && before != '=')
        return false;
      while (++i < header.size() && header[i] != '"')
        i += header[i] == '\\';
      const auto next = header.find_first_not_of(blanks, i + 1);
      if (i >= header.size() || (next != std::string_view::npos && header[next] != ',' && header[next] != ';'))
        return false;
    }
    if (blanks.find(header[i]) == std::string_view::npos)
      before = header[i];
  }
  return true;
}

/// The text inside a quoted string (RFC 9110, 5.6.4), or `value` itself without quotes.
std::string unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"')
    return std::string{value};
  std::string text;
  for (size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\' && i + 2 < value.size())
      ++i;
    text += value[i];
  }
  return text;
}

bool is_port(std::string_view text) {
  return text.empty()
         || (text.size() > 1 && text.front() == ':'
             && (text[1] == '_'
                 || std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; })));
}

/// The address of a node as RFC 7239, 6 writes it: with or without a port, IPv6 in brackets. X-Forwarded-For has the
/// same forms, and IPv6 also without brackets.
std::optional<ip_address> address_of(std::string_view node) {
  if (node.starts_with('[')) {
    const auto end = node.find(']');
    if (end == std::string_view::npos || !is_port(node.substr(end + 1)))
      return std::nullopt;
    return ip_address::parse(node.substr(1, end - 1));
  }
  const auto colon = node.find(':');
  if (colon == node.rfind(':') && colon != std::string_view::npos) // one colon: IPv4 and its port
    return is_port(node.substr(colon)) ? ip_address::parse(node.substr(0, colon)) : std::nullopt;
  return ip_address::parse(node);
}

bool is_for(std::string_view name) {
  return name.size() == 3 && (name[0] | 0x20) == 'f' && (name[1] | 0x20) == 'o' && (name[2] | 0x20) == 'r';
}

/// The value of "for" in one element of a Forwarded header. Nothing when it has none, or more than one.
std::optional<ip_address> forwarded_for(std::string_view element) {
  std::optional<std::string> node;
  for (auto pair : split(element, ';')) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || !is_for(pair.substr(0, equals)))
      continue;
    if (node)
      return std::nullopt;
    node = unquoted(pair.substr(equals + 1));
  }
  return node ? address_of(*node) : std::nullopt;
}

/// Keeps the end of a header that is longer than any honest one.
std::string_view last_part(std::string_view header) {
  constexpr size_t most_bytes = 8192;
  return header.size() > most_bytes ? header.substr(header.size() - most_bytes) : header;
}

using reader = std::optional<ip_address> (*)(std::string_view);

std::optional<ip_address> listed(std::string_view entry) {
  return address_of(unquoted(entry));
}

bool is_one_of(const std::vector<ip_prefix>& networks, const ip_address& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const ip_prefix& network) { return network.contains(address); });
}

/// Walks through one header, whose entries `read` understands.
ip_address walk(const ip_address& peer, std::string_view header, reader read, const std::vector<ip_prefix>& trusted) {
  header = last_part(header);
  auto nearest = peer;
  if (!has_whole_quotes(header))
    return nearest;
  const auto entries = split(header, ',');
  size_t walked = 0;
  for (auto entry = entries.rbegin(); entry != entries.rend() && is_one_of(trusted, nearest); ++entry) {
    if (entry->empty()) // means nothing (RFC 9110, 5.6.1)
      continue;
    const auto address = ++walked > most_hops ? std::nullopt : read(*entry);
    if (!address)
      break;
    nearest = *address;
  }
  return nearest;
}

} // namespace

ip_address client_address(const ip_address& peer, const forwarding_headers& headers,
                          const std::vector<ip_prefix>& trusted_proxies) {
  if (headers.forwarded.empty())
    return walk(peer, headers.x_forwarded_for, listed, trusted_proxies);
  const auto standard = walk(peer, headers.forwarded, forwarded_for, trusted_proxies);
  if (headers.x_forwarded_for.empty())
    return standard;
  return standard == walk(peer, headers.x_forwarded_for, listed, trusted_proxies) ? standard : peer;
}

} // namespace gnomon
