#include "runtime/node/config.hpp"

#include "runtime/base/byte_source.hpp"
#include "runtime/base/process.hpp"
#include "runtime/base/units.hpp"
#include "runtime/net/endpoint.hpp"
#include "runtime/node/config_keys.hpp"

#include <spdlog/fmt/fmt.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <sys/un.h>

namespace gnomon {

namespace {

constexpr size_t max_config_bytes = 1 << 20;

caf::error bad(std::string sentence) {
  return make_error(ec::bad_config, std::move(sentence));
}

/// A table of texts, as far as it is one.
std::optional<config_value> texts_of(const toml::table& table) {
  std::map<std::string, std::string> texts;
  for (auto&& [key, node] : table) {
    auto text = node.value_exact<std::string>();
    if (!text)
      return std::nullopt;
    texts.emplace(key.str(), *text);
  }
  return texts;
}

std::optional<config_value> texts_of(const toml::array& array) {
  std::vector<std::string> texts;
  for (auto&& node : array) {
    auto text = node.value_exact<std::string>();
    if (!text)
      return std::nullopt;
    texts.push_back(*text);
  }
  return texts;
}

/// The value, or nothing for the kinds that no key of ours takes (dates, nested lists).
std::optional<config_value> value_from(const toml::node& node) {
  if (auto text = node.value_exact<std::string>())
    return *text;
  if (auto flag = node.value_exact<bool>())
    return *flag;
  if (auto number = node.value_exact<int64_t>())
    return *number;
  if (auto number = node.value_exact<double>())
    return *number;
  if (auto* array = node.as_array())
    return texts_of(*array);
  if (auto* table = node.as_table())
    return texts_of(*table);
  return std::nullopt;
}

std::string text_of(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  auto text = out.str();
  for (auto& c : text)
    if (c == '\n')
      c = ' ';
  return text.size() > 80 ? text.substr(0, 77) + "..." : text;
}

caf::error apply(node_config& config, const std::string& where, std::string_view section, std::string_view name,
                 const toml::node& node) {
  auto* key = find_config_key(section, name);
  if (!key)
    return bad(fmt::format("{}: {}", where, unknown_key(section, name)));
  auto value = value_from(node);
  if (!value || !key->set(config, *value))
    return bad(fmt::format("{}: {}.{} = {} must be {}", where, section, name, text_of(node), key->allowed));
  return {};
}

caf::error apply(node_config& config, const std::string& origin, const toml::table& root) {
  auto at = [&](const toml::node& node) { return fmt::format("{}:{}", origin, node.source().begin.line); };
  for (auto&& [section, node] : root) {
    auto* table = node.as_table();
    if (!table)
      return bad(
          fmt::format("{}: unknown key {}; keys stand in sections, and {}", at(node), section.str(), known_keys("")));
    if (known_keys(section.str()) == known_keys(""))
      return bad(fmt::format("{}: unknown section [{}]; {}", at(node), section.str(), known_keys("")));
    for (auto&& [name, value] : *table)
      if (auto err = apply(config, at(value), section.str(), name.str(), value))
        return err;
  }
  return {};
}

/// VALUE of "--set key=VALUE" is TOML when it parses as that, and a text otherwise: `24h` and `eu-central-1` need no
/// quotes.
toml::table override_table(const std::string& name, const std::string& subkey, const std::string& text) {
  auto path = subkey.empty() ? name : fmt::format("{}.\"{}\"", name, subkey);
  try {
    return toml::parse(fmt::format("{} = {}", path, text));
  } catch (const toml::parse_error&) {
    toml::table leaf;
    leaf.insert(subkey.empty() ? name : subkey, text);
    if (subkey.empty())
      return leaf;
    toml::table outer;
    outer.insert(name, std::move(leaf));
    return outer;
  }
}

caf::error apply_override(node_config& config, const std::string& setting) {
  auto equals = setting.find('=');
  auto path = setting.substr(0, equals);
  auto dot = path.find('.');
  if (equals == std::string::npos || dot == std::string::npos)
    return bad(fmt::format("--set {}: must be SECTION.KEY=VALUE, for example --set log.level=debug", setting));
  auto where = "--set " + path;
  auto section = path.substr(0, dot);
  auto name = path.substr(dot + 1);
  auto subdot = name.find('.');
  auto subkey = subdot == std::string::npos ? std::string{} : name.substr(subdot + 1);
  name = name.substr(0, subdot);
  if (!find_config_key(section, name))
    return bad(fmt::format("{}: {}", where, unknown_key(section, name)));
  auto table = override_table(name, subkey, setting.substr(equals + 1));
  auto* node = table.get(name);
  auto err = apply(config, where, section, name, *node);
  if (!err || subkey.size() || node->is_string())
    return err;
  // A name made of digits is a number to TOML; where a text is wanted, it is what was typed.
  auto typed = toml::value<std::string>{setting.substr(equals + 1)};
  return apply(config, where, section, name, typed) ? err : caf::error{};
}

/// Each must be an address, and none that another one has.
caf::error check_listeners(const node_config& config) {
  const std::pair<std::string_view, const host_port&> listeners[] = {
      {"listen.tunnel", config.tunnel}, {"listen.http", config.http}, {"listen.dns", config.dns}};
  std::vector<std::pair<std::string, boost::asio::ip::tcp::endpoint>> taken;
  for (const auto& [key, where] : listeners) {
    if (where.empty())
      continue;
    auto named = fmt::format("{} = \"{}\"", key, to_string(where));
    const auto at = parse_address(to_string(where));
    const auto has_zone = where.host.find('%') != std::string::npos; // which DNS cannot listen at
    if (!at || (has_zone && key == "listen.dns"))
      return bad(named
                 + " must be an IP address and a port, such as 127.0.0.1:8101, [::]:8101 or localhost:8101; other "
                   "names are not looked up");
    for (const auto& [other, its] : taken)
      if (clash(*at, its))
        return bad(fmt::format("{} and {} cannot be at one address and port; give each its own port", other, named));
    taken.emplace_back(std::move(named), *at);
  }
  return {};
}

constexpr auto for_tls = "set cluster.certificate, cluster.key and cluster.authorities for TLS (gnomon cert makes the "
                         "files)";

/// How nodes talk to each other: in TLS, or in plain TCP where nobody else is.
caf::error check_tunnel(const node_config& config) {
  const auto files = {config.certificate, config.key, config.authorities};
  const auto tls = std::any_of(files.begin(), files.end(), [](const auto& file) { return !file.empty(); });
  if (tls && std::any_of(files.begin(), files.end(), [](const auto& file) { return file.empty(); }))
    return bad("cluster.certificate, cluster.key and cluster.authorities belong together; set all three or none");
  if (!tls && !config.insecure)
    return bad(fmt::format("nodes may not talk to each other yet: {}, or cluster.insecure = true for plain TCP on "
                           "loopback",
                           for_tls));
  auto networks = plain_networks::from(config.insecure_networks);
  if (!networks)
    return bad(fmt::format("cluster.insecure_networks: {}", sentence_of(networks.error())));
  auto parse = [&](const std::string& text) { return tls ? parse_address(text) : parse_plain(text, *networks); };
  const auto listen = to_string(config.tunnel);
  if (!parse_address(listen))
    return bad(fmt::format("listen.tunnel = \"{}\" must be an IP address and a port, such as 127.0.0.1:7101 or "
                           "[::]:7101",
                           listen));
  if (!parse(listen))
    return bad(fmt::format("listen.tunnel = \"{}\" is beyond loopback, where plain TCP would let anybody in: {}",
                           listen, for_tls));
  for (const auto& seed : config.seeds)
    if (auto address = parse(seed); !address || address->port() == 0)
      return bad(fmt::format("cluster.seeds: {}", address ? seed + " has no port" : sentence_of(address.error())));
  return {};
}

/// Where other nodes call this one.
caf::error check_advertise(const node_config& config) {
  const auto listen = parse_address(to_string(config.tunnel));
  if (config.advertise.empty())
    return !listen->address().is_unspecified()
               ? caf::error{}
               : bad(
                   fmt::format("cluster.advertise must be set: other nodes cannot call {}, only one of this machine's "
                               "addresses, such as 203.0.113.7:7101",
                               to_string(config.tunnel)));
  const auto told = parse_address(to_string(config.advertise));
  if (!told || told->address().is_unspecified() || told->port() == 0)
    return bad(fmt::format("cluster.advertise = \"{}\" must be an address and a port that other nodes can call, such "
                           "as 203.0.113.7:7101 or [2001:db8::7]:7101",
                           to_string(config.advertise)));
  return {};
}

bool beyond_loopback(const node_config& config) {
  const auto listen = parse_address(to_string(config.http));
  return !config.http.empty() && listen && !listen->address().is_loopback();
}

/// Who may ask over HTTP, and how.
caf::error check_http(const node_config& config) {
  if (config.http_certificate.empty() != config.http_key.empty())
    return bad("http.certificate and http.key belong together; set both or none");
  if (config.http_certificate.empty() && !config.http_client_authorities.empty())
    return bad("http.client_authorities needs http.certificate and http.key: only TLS knows certificates of clients");
  if (config.http_client_authorities.empty() != config.http_clients.empty())
    return bad("http.client_authorities and http.clients belong together: the one says whose certificates count, the "
               "other what each client may do; set both or none");
  if (config.http_proxy_protocol && config.http_proxies.empty())
    return bad("http.proxy_protocol needs http.proxies, the networks of the proxies that may connect");
  if (!beyond_loopback(config) || config.http_insecure || !config.http_certificate.empty())
    return {};
  return bad(
      fmt::format("listen.http = \"{}\" is beyond loopback, where everybody could read and write everything: set "
                  "http.certificate and http.key for TLS (gnomon cert issue NODE --host HOST makes the files); "
                  "clients then need tokens (gnomon token create). Or listen on loopback behind a proxy that "
                  "knows its clients, or set http.insecure = true",
                  to_string(config.http)));
}

caf::error check_addresses(const node_config& config) {
  for (auto check : {&check_tunnel, &check_advertise, &check_listeners, &check_http})
    if (auto err = check(config))
      return err;
  constexpr auto longest = sizeof(sockaddr_un::sun_path) - 1;
  if (auto path = config.socket_path(); path.size() > longest)
    return bad(
        fmt::format("the socket path {} is longer than {} bytes; set listen.socket to a shorter one", path, longest));
  return {};
}

std::string documentation() {
  const auto file = find_config("default.toml");
  return file.empty() ? "docs/operations.md" : file.string();
}

caf::error check_order(const settings& s) {
  if (s.min_copies > s.factor)
    return bad(fmt::format("placement.min_copies = {} must not exceed placement.factor = {}", s.min_copies, s.factor));
  if (!(s.heartbeat < s.suspect_after && s.suspect_after < s.down_after))
    return bad(fmt::format("membership.heartbeat = {}, suspect_after = {} and down_after = {} must grow in that order",
                           to_text(s.heartbeat), to_text(s.suspect_after), to_text(s.down_after)));
  if (s.peer_timeout > s.request_timeout)
    return bad(fmt::format("requests.peer_timeout = {} must not exceed requests.timeout = {}", to_text(s.peer_timeout),
                           to_text(s.request_timeout)));
  if (s.link_credit_bytes > s.link_queue_bytes)
    return bad(fmt::format("links.credit_bytes = {} must not exceed links.queue_bytes = {}",
                           bytes_text(s.link_credit_bytes), bytes_text(s.link_queue_bytes)));
  return {};
}

} // namespace

bool node_config::authorizes_http() const {
  return http_tokens || (beyond_loopback(*this) && !http_insecure);
}

expected<node_config> parse_config(std::string_view text, const std::string& origin,
                                   const std::vector<std::string>& overrides) {
  node_config config;
  try {
    if (auto err = apply(config, origin, toml::parse(text, origin)))
      return err;
  } catch (const toml::parse_error& problem) {
    return bad(fmt::format("{}:{}: not TOML: {}", origin, problem.source().begin.line, problem.description()));
  }
  for (const auto& setting : overrides)
    if (auto err = apply_override(config, setting))
      return err;
  return config;
}

caf::error check_config(const node_config& config) {
  const std::pair<std::string_view, bool> required[] = {{"node.name", !config.name.empty()},
                                                        {"node.region", !config.region.empty()},
                                                        {"node.latitude and node.longitude", config.has_place},
                                                        {"node.data_dir", !config.data_dir.empty()}};
  for (auto [key, given] : required)
    if (!given)
      return bad(fmt::format("{} must be set; {} says how", key, documentation()));
  if (auto err = check_addresses(config))
    return err;
  if (config.dns.empty() != config.dns_zones.empty())
    return bad(
        "listen.dns and dns.zones belong together: the one says where DNS is served, the other the names that it "
        "knows; set both or none");
  if (config.dns_ttl_min > config.dns_ttl_max)
    return bad("dns.ttl_min must not exceed dns.ttl_max");
  return check_order(config.actors);
}

expected<node_config> load_config(const std::string& file, const std::vector<std::string>& overrides) {
  std::string text;
  if (!file.empty()) {
    auto read = read_all(file == "-" ? "./-" : file, max_config_bytes);
    if (!read)
      return bad(fmt::format("{}; give a TOML file with --config-file=FILE", sentence_of(read.error())));
    text = std::move(*read);
  }
  auto config = parse_config(text, file, overrides);
  if (!config)
    return config;
  if (auto err = check_config(*config))
    return bad(file.empty() ? sentence_of(err) : fmt::format("{}: {}", file, sentence_of(err)));
  if (config->price_file.empty())
    return config;
  auto prices = learning::price_table::load(config->price_file);
  if (!prices)
    return bad(fmt::format("economy.prices: {}", sentence_of(prices.error())));
  config->actors.prices = std::move(*prices);
  return config;
}

std::vector<std::pair<std::string, std::string>> config_text(const node_config& config) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& key : config_keys())
    lines.emplace_back(fmt::format("{}.{}", key.section, key.name), key.text(config));
  return lines;
}

std::pair<std::vector<std::string>, std::vector<std::string>> changed_keys(const node_config& before,
                                                                           const node_config& after) {
  std::pair<std::vector<std::string>, std::vector<std::string>> changed;
  for (const auto& key : config_keys())
    if (key.text(before) != key.text(after))
      (key.reloadable ? changed.second : changed.first).push_back(fmt::format("{}.{}", key.section, key.name));
  return changed;
}

} // namespace gnomon
