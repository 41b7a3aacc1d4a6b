#include "runtime/node/config_keys.hpp"

#include "actors/messages/messages.hpp"
#include "runtime/access/role.hpp"
#include "runtime/base/id_rules.hpp"
#include "runtime/base/nearest.hpp"
#include "runtime/base/units.hpp"
#include "runtime/gateway/cors.hpp"
#include "runtime/location/locator.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon {

namespace {

std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

/// A reference to the member that a key stands for.
template <class T>
using member = T& (*)(node_config&);

template <class T>
const T& value_of(member<T> m, const node_config& config) {
  return m(const_cast<node_config&>(config)); // the accessors only name a member
}

config_key text_key(std::string_view section, std::string_view name, member<std::string> m, std::string allowed,
                    bool (*valid)(const std::string&)) {
  return {section, name, std::move(allowed),
          [m, valid](node_config& config, const config_value& value) {
            auto* text = std::get_if<std::string>(&value);
            if (!text || !valid(*text))
              return false;
            m(config) = *text;
            return true;
          },
          [m](const node_config& config) { return in_quotes(value_of(m, config)); }};
}

template <class T>
config_key number_key(std::string_view section, std::string_view name, member<T> m, T least, T most) {
  return {section, name, fmt::format("a number from {} to {}", least, most),
          [m, least, most](node_config& config, const config_value& value) {
            auto* number = std::get_if<int64_t>(&value);
            if (!number || *number < static_cast<int64_t>(least) || *number > static_cast<int64_t>(most))
              return false;
            m(config) = static_cast<T>(*number);
            return true;
          },
          [m](const node_config& config) { return fmt::format("{}", value_of(m, config)); }};
}

config_key real_key(std::string_view section, std::string_view name, member<double> m, double least, double most) {
  return {section, name, fmt::format("a number from {} to {}", least, most),
          [m, least, most](node_config& config, const config_value& value) {
            auto* whole = std::get_if<int64_t>(&value);
            auto* real = std::get_if<double>(&value);
            if (!whole && !real)
              return false;
            auto x = whole ? static_cast<double>(*whole) : *real;
            if (!(x >= least && x <= most))
              return false;
            m(config) = x;
            return true;
          },
          [m](const node_config& config) { return fmt::format("{}", value_of(m, config)); }};
}

config_key flag_key(std::string_view section, std::string_view name, member<bool> m) {
  return {section, name, "true or false",
          [m](node_config& config, const config_value& value) {
            auto* flag = std::get_if<bool>(&value);
            if (flag)
              m(config) = *flag;
            return flag != nullptr;
          },
          [m](const node_config& config) { return value_of(m, config) ? "true" : "false"; }};
}

config_key duration_key(std::string_view section, std::string_view name, member<duration> m, duration least,
                        duration most) {
  return {section, name,
          fmt::format("a duration from \"{}\" to \"{}\" (units ms, s, m, h, d)", to_text(least), to_text(most)),
          [m, least, most](node_config& config, const config_value& value) {
            auto* text = std::get_if<std::string>(&value);
            auto d = text ? duration_from(*text) : std::nullopt;
            if (!d || *d < least || *d > most)
              return false;
            m(config) = *d;
            return true;
          },
          [m](const node_config& config) { return in_quotes(to_text(value_of(m, config))); }};
}

config_key bytes_key(std::string_view section, std::string_view name, member<uint64_t> m, uint64_t least,
                     uint64_t most) {
  return {section, name,
          fmt::format("a size from \"{}\" to \"{}\" (units B, KiB, MiB, GiB)", bytes_text(least), bytes_text(most)),
          [m, least, most](node_config& config, const config_value& value) {
            auto* text = std::get_if<std::string>(&value);
            auto bytes = text ? bytes_from(*text) : std::nullopt;
            if (!bytes || *bytes < least || *bytes > most)
              return false;
            m(config) = *bytes;
            return true;
          },
          [m](const node_config& config) { return in_quotes(bytes_text(value_of(m, config))); }};
}

config_key host_port_key(std::string_view section, std::string_view name, member<host_port> m, bool may_be_empty) {
  auto allowed = fmt::format("HOST:PORT, for example \"127.0.0.1:7101\"{}", may_be_empty ? ", or \"\" for none" : "");
  return {section, name, std::move(allowed),
          [m, may_be_empty](node_config& config, const config_value& value) {
            auto* text = std::get_if<std::string>(&value);
            if (!text)
              return false;
            if (text->empty() && may_be_empty) {
              m(config) = {};
              return true;
            }
            auto where = parse_host_port(*text);
            if (where)
              m(config) = *where;
            return where.has_value();
          },
          [m](const node_config& config) { return in_quotes(to_string(value_of(m, config))); }};
}

bool any_text(const std::string&) {
  return true;
}

bool is_path(const std::string& text) {
  return text.find('\0') == std::string::npos;
}

bool is_name(const std::string& text) {
  return is_plain_name(text);
}

bool is_level(const std::string& text) {
  return text == "debug" || text == "info" || text == "warn" || text == "error";
}

constexpr auto name_rule = "a name of 1 to 64 letters, digits, '-', '_' and '.'";

config_key list_key(std::string_view section, std::string_view name, member<std::vector<std::string>> m,
                    std::string_view allowed, bool (*good)(const std::string&)) {
  return {section, name, std::string{allowed},
          [m, good](node_config& config, const config_value& value) {
            auto* list = std::get_if<std::vector<std::string>>(&value);
            if (!list || !std::all_of(list->begin(), list->end(), good))
              return false;
            m(config) = *list;
            return true;
          },
          [m](const node_config& config) {
            std::vector<std::string> items;
            for (const auto& text : value_of(m, config))
              items.push_back(in_quotes(text));
            return fmt::format("[{}]", fmt::join(items, ", "));
          }};
}

bool is_address(const std::string& text) {
  return parse_host_port(text).has_value();
}

bool is_ip_and_port(const std::string& text) {
  auto where = parse_host_port(text);
  return where && ip_address::parse(where->host);
}

bool is_network(const std::string& text) {
  return static_cast<bool>(ip_prefix::parse(text));
}

bool is_client(const std::string& text) {
  return parse_named_grant(text).has_value();
}

bool is_origin(const std::string& text) {
  return http::is_origin_rule(text);
}

bool is_located_network(const std::string& text) {
  return static_cast<bool>(parse_configured_network(text));
}

config_key delay_key() {
  return {"links", "delay",
          "a table from node names to durations of at most \"10s\", for example {us-east-1 = \"46ms\"}",
          [](node_config& config, const config_value& value) {
            auto* table = std::get_if<std::map<std::string, std::string>>(&value);
            if (!table)
              return false;
            for (const auto& [node, text] : *table) {
              auto d = duration_from(text);
              if (!is_name(node) || !d || *d > 10s)
                return false;
              config.link_delay[node] = *d;
            }
            return true;
          },
          [](const node_config& config) {
            std::vector<std::string> items;
            for (const auto& [node, d] : config.link_delay)
              items.push_back(fmt::format("{} = {}", node, in_quotes(to_text(d))));
            return items.empty() ? std::string{"{}"} : fmt::format("{{{}}}", fmt::join(items, ", "));
          }};
}

config_key acks_key() {
  return {"placement", "acks", "a number from 1 to 64, or \"all\"",
          [](node_config& config, const config_value& value) {
            auto* number = std::get_if<int64_t>(&value);
            auto* text = std::get_if<std::string>(&value);
            if (number ? *number < 1 || *number > 64 : !text || *text != "all")
              return false;
            config.actors.acks = number ? static_cast<uint32_t>(*number) : acks_all;
            return true;
          },
          [](const node_config& config) {
            auto n = config.actors.acks;
            return n == acks_all ? in_quotes("all") : fmt::format("{}", n);
          }};
}

/// One of two words; the second stands for true.
config_key choice_key(std::string_view section, std::string_view name, std::string_view no, std::string_view yes,
                      member<bool> m) {
  return {section, name, fmt::format("\"{}\" or \"{}\"", no, yes),
          [=](node_config& config, const config_value& value) {
            auto* text = std::get_if<std::string>(&value);
            if (!text || (*text != no && *text != yes))
              return false;
            m(config) = *text == yes;
            return true;
          },
          [=](const node_config& config) { return in_quotes(std::string{value_of(m, config) ? yes : no}); }};
}

config_key place_key(std::string_view name, member<double> m, double bound) {
  auto key = real_key("node", name, m, -bound, bound);
  key.set = [inner = std::move(key.set)](node_config& config, const config_value& value) {
    config.has_place = true;
    return inner(config, value);
  };
  return key;
}

config_key reloadable(config_key key) {
  key.reloadable = true;
  return key;
}

#define MEMBER(path)                                                                                                   \
  [](node_config & c) -> auto& {                                                                                       \
    return c.path;                                                                                                     \
  }

std::vector<config_key> cluster_and_node_keys() {
  return {
      text_key("cluster", "name", MEMBER(cluster), name_rule, is_name),
      list_key("cluster", "seeds", MEMBER(seeds), "a list of HOST:PORT, for example [\"127.0.0.1:7101\"]", is_address),
      host_port_key("cluster", "advertise", MEMBER(advertise), true),
      reloadable(text_key("cluster", "certificate", MEMBER(certificate), "a PEM file, or \"\" for none", is_path)),
      reloadable(text_key("cluster", "key", MEMBER(key), "a PEM file, or \"\" for none", is_path)),
      reloadable(text_key("cluster", "authorities", MEMBER(authorities), "a PEM file, or \"\" for none", is_path)),
      reloadable(flag_key("cluster", "insecure", MEMBER(insecure))),
      reloadable(list_key("cluster", "insecure_networks", MEMBER(insecure_networks),
                          "a list of private networks, for example [\"10.77.0.0/24\"]", any_text)),
      reloadable(list_key("cluster", "proxies", MEMBER(cluster_proxies),
                          "a list of networks, for example [\"10.0.0.0/8\", \"2001:db8::1\"]", is_network)),
      text_key("node", "name", MEMBER(name), name_rule, is_name),
      text_key("node", "region", MEMBER(region), name_rule, is_name),
      place_key("latitude", MEMBER(latitude), 90),
      place_key("longitude", MEMBER(longitude), 180),
      text_key("node", "data_dir", MEMBER(data_dir), "a directory", is_path),
      number_key<uint32_t>("node", "threads", MEMBER(threads), 0, 256),
      duration_key("node", "stop_within", MEMBER(stop_within), 100ms, 10min),
      flag_key("node", "restored", MEMBER(restored)),
      host_port_key("listen", "tunnel", MEMBER(tunnel), false),
      host_port_key("listen", "http", MEMBER(http), true),
      list_key("listen", "public_http", MEMBER(public_http),
               "a list of ADDRESS:PORT, for example [\"203.0.113.7:8101\", \"[2001:db8::7]:8101\"]", is_ip_and_port),
      host_port_key("listen", "dns", MEMBER(dns), true),
      text_key("listen", "socket", MEMBER(socket), "a path", is_path),
  };
}

config_key lifetime_key() {
  return {"placement", "shadow_ttl", "\"adaptive\", or a duration from \"0ms\" (no end) to \"3650d\"",
          [](node_config& config, const config_value& value) {
            auto* text = std::get_if<std::string>(&value);
            auto d = !text ? std::nullopt : *text == "adaptive" ? adaptive_lifetime : duration_from(*text);
            if (!d || (*d != adaptive_lifetime && (*d < 0ms || *d > 24h * 3650)))
              return false;
            config.actors.shadow_ttl = *d;
            return true;
          },
          [](const node_config& config) {
            auto ttl = config.actors.shadow_ttl;
            return in_quotes(ttl == adaptive_lifetime ? "adaptive" : to_text(ttl));
          }};
}

std::vector<config_key> actor_keys() {
  return {
      number_key<uint32_t>("placement", "factor", MEMBER(actors.factor), 1, 64),
      number_key<uint32_t>("placement", "min_copies", MEMBER(actors.min_copies), 1, 64),
      acks_key(),
      choice_key("placement", "conflicts", "siblings", "lww", MEMBER(actors.last_writer_wins)),
      choice_key("placement", "durable", "stays", "follows", MEMBER(actors.durable_follows)),
      number_key<uint32_t>("placement", "follow_after", MEMBER(actors.follow_after), 1, 1'000'000),
      flag_key("placement", "shadow_on_read", MEMBER(actors.shadow_on_read)),
      lifetime_key(),
      duration_key("placement", "join_timeout", MEMBER(actors.join_timeout), 1s, 24h),
      number_key<uint32_t>("placement", "max_versions", MEMBER(actors.max_versions), 2, 10'000),
      bytes_key("placement", "max_versions_bytes", MEMBER(actors.max_versions_bytes), 64u << 20, 1u << 30),
      duration_key("requests", "timeout", MEMBER(actors.request_timeout), 10ms, 10min),
      duration_key("requests", "peer_timeout", MEMBER(actors.peer_timeout), 10ms, 10min),
      duration_key("requests", "hedge_after", MEMBER(actors.hedge_after), 1ms, 10min),
      number_key<uint32_t>("shadows", "max_active", MEMBER(actors.max_active_shadows), 64, 100'000'000),
      duration_key("shadows", "idle", MEMBER(actors.shadow_idle), 100ms, 24h),
      duration_key("shadows", "sample_every", MEMBER(actors.sample_every), 10ms, 1min),
      duration_key("shadows", "collect_every", MEMBER(actors.collect_every), 10ms, 1h),
      bytes_key("index", "max_bytes", MEMBER(actors.read_index_bytes), 1u << 20, 1ull << 40),
      bytes_key("links", "queue_bytes", MEMBER(actors.link_queue_bytes), 1u << 20, 1ull << 40),
      number_key<uint32_t>("links", "queue_messages", MEMBER(actors.link_queue_messages), 16, 100'000'000),
      bytes_key("links", "credit_bytes", MEMBER(actors.link_credit_bytes), 64u << 10, 1u << 30),
      number_key<uint32_t>("links", "credit_messages", MEMBER(actors.link_credit_messages), 1, 1'000'000),
      bytes_key("links", "least_bytes_per_second", MEMBER(actors.link_floor), 1024, 1ull << 40),
      delay_key(),
      duration_key("membership", "heartbeat", MEMBER(actors.heartbeat), 10ms, 1min),
      duration_key("membership", "suspect_after", MEMBER(actors.suspect_after), 20ms, 10min),
      duration_key("membership", "down_after", MEMBER(actors.down_after), 30ms, 1h),
      duration_key("membership", "catalog_age", MEMBER(actors.catalog_age), 0ms, 1min),
      duration_key("membership", "fresh_for", MEMBER(actors.fresh_for), 30ms, 1h),
      duration_key("membership", "catch_up_for", MEMBER(actors.catch_up_for), 0ms, 24h),
      duration_key("repair", "compare_every", MEMBER(actors.compare_every), 10ms, 24h),
      bytes_key("repair", "compare_bytes_per_second", MEMBER(actors.compare_bytes_per_second), 1024, 1ull << 40),
      duration_key("repair", "reap_after", MEMBER(actors.reap_after), 0ms, 24h * 3650),
      duration_key("repair", "after", MEMBER(actors.repair_after), 100ms, 24h * 365),
      duration_key("repair", "scan_every", MEMBER(actors.repair_scan_every), 10ms, 24h),
      number_key<uint32_t>("repair", "at_once", MEMBER(actors.repair_at_once), 1, 100'000),
      bytes_key("repair", "bytes_per_second", MEMBER(actors.repair_bytes_per_second), 1u << 10, 1ull << 40),
      flag_key("prediction", "enabled", MEMBER(actors.predict)),
      real_key("prediction", "confidence", MEMBER(actors.prefetch_confidence), 0.01, 0.99),
      real_key("prediction", "waste", MEMBER(actors.prefetch_waste), 0, 1),
      bytes_key("prediction", "bytes_per_second", MEMBER(actors.prefetch_bytes_per_second), 1, 1ull << 40),
      number_key<uint32_t>("prediction", "users", MEMBER(actors.predict_users), 100, 10'000'000),
      number_key<uint32_t>("prediction", "items", MEMBER(actors.predict_items), 100, 10'000'000),
      duration_key("prediction", "train_every", MEMBER(actors.train_every), 0s, 365 * 24h),
      number_key<uint32_t>("prediction", "train_accesses", MEMBER(actors.train_accesses), 1000, 100'000'000),
      number_key<uint32_t>("store", "stores", MEMBER(actors.stores), 1, 64),
      bytes_key("store", "max_bytes", MEMBER(actors.store_max_bytes), 0, 1ull << 50),
      text_key("economy", "prices", MEMBER(price_file), "a file", any_text),
      real_key("economy", "usd_per_ms", MEMBER(actors.usd_per_ms), 0, 1),
  };
}

std::vector<config_key> location_keys() {
  return {
      reloadable(list_key("location", "databases", MEMBER(location_databases), "a list of files", is_path)),
      reloadable(list_key("location", "networks", MEMBER(location_networks),
                          "a list of \"NETWORK = REGION\" or \"NETWORK = LATITUDE, LONGITUDE\", for example "
                          "[\"10.20.0.0/16 = eu-central-1\", \"192.0.2.0/24 = 50.11, 8.68\"]",
                          is_located_network)),
      reloadable(list_key("location", "proxies", MEMBER(location_proxies),
                          "a list of networks, for example [\"10.0.0.0/8\", \"2001:db8::1\"]", is_network)),
      duration_key("location", "detour", MEMBER(actors.detour), 0ms, 10s),
  };
}

std::vector<config_key> dns_keys() {
  return {
      list_key("dns", "zones", MEMBER(dns_zones),
               "a list of \"NAME\" or \"NAME = FILE\", for example [\"g.example = g.example.zone\"]", is_path),
      number_key<uint32_t>("dns", "threads", MEMBER(dns_threads), 0, 256),
      duration_key("dns", "ttl_min", MEMBER(dns_ttl_min), 0ms, 24h),
      duration_key("dns", "ttl_max", MEMBER(dns_ttl_max), 0ms, 24h),
      duration_key("dns", "negative_ttl", MEMBER(dns_negative_ttl), 0ms, 24h),
      flag_key("dns", "explain", MEMBER(dns_explain)),
      flag_key("dns", "https_records", MEMBER(dns_https_records)),
      number_key<uint32_t>("dns", "answers_per_second", MEMBER(dns_answers_per_second), 0, 100'000'000),
      list_key("dns", "last_resort", MEMBER(dns_last_resort), "a list of region names", is_name),
  };
}

std::vector<config_key> server_keys() {
  return {
      reloadable(text_key("http", "certificate", MEMBER(http_certificate), "a PEM file, or \"\" for none", is_path)),
      reloadable(text_key("http", "key", MEMBER(http_key), "a PEM file, or \"\" for none", is_path)),
      reloadable(text_key("http", "client_authorities", MEMBER(http_client_authorities), "a PEM file, or \"\" for none",
                          is_path)),
      reloadable(
          list_key("http", "clients", MEMBER(http_clients),
                   "a list of \"NAME = ROLE\" or \"NAME = ROLE TYPE...\" with the roles read, write and admin, for "
                   "example [\"reports = read\", \"importer = write news sports\"]",
                   is_client)),
      reloadable(flag_key("http", "tokens", MEMBER(http_tokens))),
      reloadable(flag_key("http", "insecure", MEMBER(http_insecure))),
      reloadable(list_key("http", "origins", MEMBER(http_origins),
                          "a list of origins, for example [\"https://app.example\"], or [\"*\"]", is_origin)),
      reloadable(flag_key("http", "proxy_protocol", MEMBER(http_proxy_protocol))),
      reloadable(list_key("http", "proxies", MEMBER(http_proxies),
                          "a list of networks, for example [\"10.0.0.0/8\", \"2001:db8::1\"]", is_network)),
      number_key<uint32_t>("http", "threads", MEMBER(http_threads), 0, 256),
      number_key<uint32_t>("http", "connections", MEMBER(http_connections), 1, 1'000'000),
      number_key<uint32_t>("http", "connections_each", MEMBER(http_connections_each), 1, 1'000'000),
      bytes_key("http", "buffered_bytes", MEMBER(http_buffered_bytes), 64u << 20, 1ull << 40),
      duration_key("http", "head_timeout", MEMBER(http_head_timeout), 100ms, 1h),
      duration_key("http", "body_timeout", MEMBER(http_body_timeout), 100ms, 1h),
      duration_key("http", "body_limit", MEMBER(http_body_limit), 100ms, 24h),
      duration_key("http", "idle_timeout", MEMBER(http_idle_timeout), 100ms, 1h),
      duration_key("http", "write_timeout", MEMBER(http_write_timeout), 100ms, 1h),
      reloadable(text_key("log", "file", MEMBER(log_file), "a path, or \"\" for standard error", is_path)),
      reloadable(text_key("log", "level", MEMBER(log_level), "\"debug\", \"info\", \"warn\" or \"error\"", is_level)),
      real_key("clock", "scale", MEMBER(clock_scale), 0.001, 10'000'000),
      number_key<int64_t>("clock", "origin", MEMBER(clock_origin_ms), 0, 253'402'300'799'999),
  };
}

#undef MEMBER

} // namespace

const std::vector<config_key>& config_keys() {
  static const auto keys = [] {
    std::vector<config_key> all;
    for (auto part : {cluster_and_node_keys(), actor_keys(), location_keys(), dns_keys(), server_keys()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return keys;
}

const config_key* find_config_key(std::string_view section, std::string_view name) {
  for (const auto& key : config_keys())
    if (key.section == section && key.name == name)
      return &key;
  return nullptr;
}

std::string known_keys(std::string_view section) {
  std::vector<std::string_view> keys, sections;
  for (const auto& key : config_keys()) {
    if (sections.empty() || std::find(sections.begin(), sections.end(), key.section) == sections.end())
      sections.push_back(key.section);
    if (key.section == section)
      keys.push_back(key.name);
  }
  if (keys.empty())
    return fmt::format("the sections are {}", fmt::join(sections, ", "));
  return fmt::format("[{}] knows {}", section, fmt::join(keys, ", "));
}

std::string unknown_key(std::string_view section, std::string_view name) {
  auto given = fmt::format("{}.{}", section, name);
  std::vector<std::string> all, namesakes;
  for (const auto& key : config_keys()) {
    all.push_back(fmt::format("{}.{}", key.section, key.name));
    if (key.name == name || (key.section == name && key.name == section))
      namesakes.push_back(all.back());
  }
  auto meant = nearest(given, all);
  if (meant.empty() && namesakes.size() == 1)
    meant = namesakes.front();
  return meant.empty() ? fmt::format("unknown key {}; {}", given, known_keys(section))
                       : fmt::format("unknown key {}; did you mean {}? {}", given, meant, known_keys(section));
}

} // namespace gnomon
