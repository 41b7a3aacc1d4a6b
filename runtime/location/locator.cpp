#include "runtime/location/locator.hpp"

#include "runtime/base/id_rules.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/base/printable.hpp"
#include "runtime/base/trimmed.hpp"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

namespace gnomon {

namespace {

const std::vector<ip_prefix>& local_networks() {
  static const auto networks = [] {
    std::vector<ip_prefix> parsed;
    for (auto text : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
                      "0.0.0.0/8", "::1/128", "::/128", "fe80::/10", "fc00::/7"})
      parsed.push_back(*ip_prefix::parse(text));
    return parsed;
  }();
  return networks;
}

constexpr std::string_view blanks = " ";

std::optional<place> parse_place(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == std::string_view::npos)
    return std::nullopt;
  const auto latitude = parse_number<double>(trimmed(text.substr(0, comma), blanks));
  const auto longitude = parse_number<double>(trimmed(text.substr(comma + 1), blanks));
  if (!latitude || !longitude || !(*latitude >= -90 && *latitude <= 90) || !(*longitude >= -180 && *longitude <= 180))
    return std::nullopt;
  return place{*latitude, *longitude};
}

/// Cuts `answer` down to the part without `other`, which has an answer of its own.
void leave_out(ip_prefix& answer, const ip_address& address, const ip_prefix& other) {
  if (answer.contains(other.address) && other.bits > answer.bits && !other.contains(address))
    answer = ip_prefix::around(address, common_bits(address, other.address) + 1);
}

} // namespace

expected<configured_network> parse_configured_network(std::string_view text) {
  const auto equals = text.find('=');
  const auto network = ip_prefix::parse(trimmed(text.substr(0, equals), blanks));
  if (!network)
    return network.error();
  const auto where = trimmed(equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1), blanks);
  if (is_plain_name(where))
    return configured_network{*network, std::string{where}, std::nullopt};
  if (auto at = parse_place(where))
    return configured_network{*network, {}, at};
  return make_error(ec::invalid_argument,
                    fmt::format("\"{}\" must be NETWORK = REGION or NETWORK = LATITUDE, LONGITUDE, for example "
                                "\"10.20.0.0/16 = eu-central-1\" or \"192.0.2.0/24 = 50.11, 8.68\"",
                                printable(text.substr(0, 120))));
}

bool is_local_address(const ip_address& address) {
  return std::any_of(local_networks().begin(), local_networks().end(),
                     [&](const ip_prefix& network) { return network.contains(address); });
}

expected<locator::state> locator::load(location_config config) {
  state loaded;
  std::sort(config.networks.begin(), config.networks.end(), [](const auto& a, const auto& b) {
    return std::tie(b.network.bits, a.network.address) < std::tie(a.network.bits, b.network.address);
  });
  for (size_t i = 1; i < config.networks.size(); ++i)
    if (config.networks[i].network == config.networks[i - 1].network)
      return make_error(ec::invalid_argument, fmt::format("the network {} is given two places; name it once",
                                                          to_string(config.networks[i].network)));
  for (const auto& file : config.databases) {
    auto opened = location_database::open(file);
    if (!opened)
      return opened.error();
    loaded.databases.push_back(std::move(*opened));
  }
  loaded.config = std::move(config);
  return loaded;
}

expected<std::shared_ptr<locator>> locator::make(location_config config) {
  auto loaded = load(std::move(config));
  if (!loaded)
    return loaded.error();
  auto result = std::make_shared<locator>();
  result->state_.set(std::move(*loaded));
  return result;
}

caf::error locator::reload() {
  return reload(state_.get()->config);
}

caf::error locator::reload(location_config config) {
  const std::lock_guard one_at_a_time(reloading_);
  auto loaded = load(std::move(config));
  if (!loaded)
    return make_error(code_of(loaded.error()),
                      fmt::format("{}; what was in use before stays: {}", sentence_of(loaded.error()), describe()));
  state_.set(std::move(*loaded));
  return {};
}

std::string locator::describe() const {
  return describe(*state_.get());
}

std::string locator::describe(const state& known) {
  std::vector<std::string> parts;
  if (const auto count = known.config.networks.size(); count > 0)
    parts.push_back(fmt::format("{} configured network{}", count, count == 1 ? "" : "s"));
  for (const auto& database : known.databases)
    parts.push_back(database->describe());
  if (known.databases.empty())
    parts.push_back("no location database");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string locator::explain(const located& answer) const {
  const auto known = state_.get();
  const auto number = answer.database;
  const auto database = number < known->databases.size() ? known->databases[number]->describe() : "a former database";
  switch (answer.source) {
  case location_source::configured_network:
    return fmt::format("{} is in a configured network", to_string(answer.network));
  case location_source::local_network:
    return fmt::format("{} is in a local network, so the client is in this node's region", to_string(answer.network));
  case location_source::database:
    return fmt::format("{} is known to {}", to_string(answer.network), database);
  case location_source::country:
    return fmt::format("{} is in {}, whose centre stands for it, according to {}", to_string(answer.network),
                       answer.country, database);
  case location_source::nothing:
    break;
  }
  return fmt::format("{} is unknown to {}", to_string(answer.network), describe(*known));
}

located locator::find(const ip_address& address) const {
  const auto known = state_.get();
  auto answer = find_in(*known, address);
  for (const auto& other : known->config.networks)
    leave_out(answer.network, address, other.network);
  for (const auto& other : local_networks())
    leave_out(answer.network, address, other);
  return answer;
}

located locator::find_in(const state& known, const ip_address& address) {
  located answer;
  for (const auto& one : known.config.networks)
    if (one.network.contains(address)) {
      answer.region = one.region;
      answer.at = one.at;
      answer.network = one.network;
      answer.source = location_source::configured_network;
      return answer;
    }
  for (const auto& network : local_networks())
    if (network.contains(address)) {
      answer.region = known.config.own_region;
      answer.at = known.config.own_place;
      answer.network = network;
      answer.source = location_source::local_network;
      return answer;
    }
  return ask_databases(known, address);
}

located locator::ask_databases(const state& known, const ip_address& address) {
  located answer;
  answer.network = ip_prefix::around(address, 0);
  for (size_t i = 0; i < known.databases.size() && !answer.at; ++i) {
    auto found = known.databases[i]->find(address);
    // What an earlier database lacks, it lacks in its own network only.
    if (found.network.bits > answer.network.bits)
      answer.network = found.network;
    if (!found.at)
      continue;
    answer.at = found.at;
    answer.country = std::move(found.country);
    answer.city = std::move(found.city);
    answer.source = found.at_country ? location_source::country : location_source::database;
    answer.database = i;
  }
  return answer;
}

} // namespace gnomon
