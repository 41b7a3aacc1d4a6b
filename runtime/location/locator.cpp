#include "runtime/location/locator.hpp"

#include "runtime/base/numbers.hpp"
#include "runtime/base/printable.hpp"

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

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::optional<place> parse_place(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == std::string_view::npos)
    return std::nullopt;
  const auto latitude = parse_number<double>(trimmed(text.substr(0, comma)));
  const auto longitude = parse_number<double>(trimmed(text.substr(comma + 1)));
  if (!latitude || !longitude || !(*latitude >= -90 && *latitude <= 90) || !(*longitude >= -180 && *longitude <= 180))
    return std::nullopt;
  return place{*latitude, *longitude};
}

bool is_region_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

/// Cuts `answer` down to the part without `other`, which has an answer of its own.
void leave_out(ip_prefix& answer, const ip_address& address, const ip_prefix& other) {
  if (answer.contains(other.address) && other.bits > answer.bits && !other.contains(address))
    answer = ip_prefix::around(address, common_bits(address, other.address) + 1);
}

} // namespace

expected<configured_network> parse_configured_network(std::string_view text) {
  const auto equals = text.find('=');
  const auto network = ip_prefix::parse(trimmed(text.substr(0, equals)));
  if (!network)
    return network.error();
  const auto where = trimmed(equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1));
  if (is_region_name(where))
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
  if (!config.database.empty()) {
    auto opened = location_database::open(config.database);
    if (!opened)
      return opened.error();
    loaded.database = std::move(*opened);
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
  const auto known = state_.get();
  const auto count = known->config.networks.size();
  const auto networks = fmt::format("{} configured network{}", count, count == 1 ? "" : "s");
  if (!known->database)
    return count == 0 ? "no location database" : networks + " and no location database";
  return count == 0 ? known->database->describe() : networks + " and " + known->database->describe();
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
      answer.source = fmt::format("the configured network {}", to_string(one.network));
      return answer;
    }
  for (const auto& network : local_networks())
    if (network.contains(address)) {
      answer.region = known.config.own_region;
      answer.at = known.config.own_place;
      answer.network = network;
      answer.source = fmt::format("{} is a local network, so the client is in this node's region", to_string(network));
      return answer;
    }
  answer.network = ip_prefix::around(address, 0);
  answer.source = "there is no location database";
  if (!known.database)
    return answer;
  auto found = known.database->find(address);
  answer.source = fmt::format("{}{}{}", found.at ? "" : "no place in ", known.database->describe(),
                              found.at_country ? fmt::format(": the centre of {}", found.country) : "");
  answer.at = found.at;
  answer.country = std::move(found.country);
  answer.city = std::move(found.city);
  answer.network = found.network;
  return answer;
}

} // namespace gnomon
