#include "runtime/node/geo_dns.hpp"

#include "runtime/base/log.hpp"
#include "runtime/base/trimmed.hpp"
#include "runtime/location/region_ranking.hpp"
#include "runtime/net/endpoint.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace gnomon {

namespace {

constexpr auto look_every = 200ms;

/// "g.example" or "g.example = FILE".
std::pair<std::string, std::string> split_zone(std::string_view text) {
  auto equals = std::min(text.find('='), text.size());
  auto file = text.substr(std::min(equals + 1, text.size()));
  return {std::string{trimmed(text.substr(0, equals))}, std::string{trimmed(file)}};
}

dns::server_config server_config_of(const node_config& config) {
  auto seconds = [](duration d) { return static_cast<uint32_t>(std::chrono::ceil<std::chrono::seconds>(d).count()); };
  dns::server_config server;
  server.listen = {{parse_address(to_string(config.dns))->address().to_string(), config.dns.port}}; // it was checked
  server.threads = config.dns_threads > 0 ? config.dns_threads : std::max(1u, std::thread::hardware_concurrency());
  server.answers.answers.ttl_min_seconds = seconds(config.dns_ttl_min);
  server.answers.answers.ttl_max_seconds = seconds(config.dns_ttl_max);
  server.answers.answers.negative_ttl_seconds = seconds(config.dns_negative_ttl);
  server.answers.answers.explain = config.dns_explain;
  server.answers.answers.https_records = config.dns_https_records;
  server.answers.rate.answers_per_second = config.dns_answers_per_second;
  server.answers.nsid = config.name;
  return server;
}

/// One thread's memory of orders, by client prefix. An entry is good for the estimate, the loaded regions and the
/// minute it was made with: a database that was reloaded counts a minute later.
struct remembered {
  std::shared_ptr<const round_trip_estimate> made_from;
  dns::region_set loaded = 0;
  int64_t minute = -1;
  ip_prefix client;
  dns::ranked order;
};

constexpr size_t remembered_orders = 4096;

size_t slot_of(const ip_prefix& client) {
  const auto bytes = client.address.bytes();
  return stable_hash({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, static_cast<uint64_t>(client.bits))
         % remembered_orders;
}

} // namespace

expected<std::vector<dns::zone>> zones_of(const node_config& config) {
  std::vector<dns::zone> zones;
  try {
    for (const auto& text : config.dns_zones) {
      auto [name, file] = split_zone(text);
      zones.push_back(file.empty() ? dns::read_zone(name, dns::plain_zone_text(name, {config.region}))
                                   : dns::read_zone_file(name, file));
    }
  } catch (const failure& problem) {
    return make_error(problem.code(), std::string{"dns.zones: "} + problem.what());
  }
  return zones;
}

geo_dns::geo_dns(context_ptr node, const node_config& config, std::vector<dns::zone> zones)
    : node_(std::move(node)),
      clock_scale_(config.clock_scale), rule_{static_cast<double>(config.actors.detour.count())},
      last_resort_(config.dns_last_resort), memory_(node_->memory, memory_part::dns) {
  node_->holders_changed = [this](const std::string& id, const std::vector<std::string>& nodes, uint32_t until) {
    note(id, nodes, until);
  };
  node_->catalog_lost = [this] { forget_items(); };
  node_->dns_counts = [this] { return counts(); };
  server_ = std::make_unique<dns::dns_server>(server_config_of(config), std::move(zones), items_, regions_,
                                              [this](const ip_prefix& client) { return rank(client); });
}

std::map<std::string, uint64_t> geo_dns::counts() const {
  auto sums = server_->counted();
  std::map<std::string, uint64_t> named{{"tcp", sums.tcp},
                                        {"client_subnet", sums.subnets},
                                        {"cookie", sums.cookies},
                                        {"truncated", sums.truncated},
                                        {"rate_limited", sums.limited},
                                        {"malformed", sums.malformed},
                                        {"last_resort", sums.last_resort},
                                        {"nxdomain", sums.answers[dns::rcode::nxdomain]},
                                        {"items", items_.size()}};
  for (auto one : sums.queries)
    named["queries"] += one;
  return named;
}

geo_dns::~geo_dns() {
  stop();
}

caf::error geo_dns::start() {
  publish();
  try {
    server_->start();
  } catch (const failure& problem) {
    return make_error(problem.code(), problem.what());
  }
  watcher_ = std::thread{log::bound([this] { watch(); })};
  return {};
}

void geo_dns::stop() {
  {
    std::lock_guard lock{stopping_};
    stop_ = true;
  }
  stopped_.notify_all();
  if (watcher_.joinable())
    watcher_.join();
  server_->stop();
}

std::vector<host_port> geo_dns::addresses() const {
  return server_->addresses();
}

void geo_dns::watch() {
  std::unique_lock lock{stopping_};
  while (!stopped_.wait_for(lock, look_every, [this] { return stop_; })) {
    lock.unlock();
    publish();
    lock.lock();
  }
}

/// A region keeps its number as long as the process runs.
dns::region_id geo_dns::number_of(const std::string& region) {
  auto next = static_cast<dns::region_id>(std::min(by_region_.size(), dns::max_regions));
  return by_region_.try_emplace(region, next).first->second;
}

/// Called by the shards, from their threads.
void geo_dns::note(const std::string& id, const std::vector<std::string>& nodes, uint32_t until) {
  dns::holding where{.until = on_the_wall(until)};
  std::shared_lock lock{names_};
  for (const auto& name : nodes) {
    auto known = by_node_.find(name);
    if (known == by_node_.end()) { // its rows came before the next look at the cluster
      lock.unlock();
      publish();
      lock.lock();
      known = by_node_.find(name);
    }
    if (known != by_node_.end() && known->second < dns::max_regions)
      where.regions |= dns::set_of(known->second);
  }
  items_.set(label_bytes_of(id), where);
}

/// Until the catalog is whole again this node is as one that has just started: it says "not ready" of what it does not
/// know, and resolvers ask another one. Otherwise names would go on naming what changed meanwhile.
void geo_dns::forget_items() {
  publish();
  items_.clear();
}

/// The second of the wall clock at which the clock of the leases says `until`. 0 stays 0.
uint32_t geo_dns::on_the_wall(uint32_t until) const {
  if (until == 0)
    return 0;
  auto left = (static_cast<double>(until) - epoch_seconds(node_->time->now())) / clock_scale_;
  auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return static_cast<uint32_t>(std::clamp(now + left, 1.0, 4'294'967'295.0));
}

void geo_dns::publish() {
  memory_.set(items_.bytes());
  auto view = node_->cluster.get();
  dns::region_table table;
  table.detector_bound = node_->config.down_after;
  const auto& slices = node_->counters.catalogs_whole; // looked at as peers tell how far theirs are
  auto whole = std::all_of(slices.begin(), slices.end(), [](const auto& one) { return one.load(); });
  table.items_known = whole && node_->is_fresh();
  dns::region_set loaded = 0;
  auto add = [&](const node_identity& who, bool live, double load) {
    auto number = by_node_[who.node] = number_of(who.region);
    if (number >= dns::max_regions)
      return;
    if (table.regions.size() <= number)
      table.regions.resize(number + 1);
    auto& entry = table.regions[number];
    entry.name = who.region;
    entry.live = live;
    if (rule_.passes_over(load))
      loaded |= dns::set_of(number);
    entry.where = {who.latitude, who.longitude};
    entry.last_resort = std::find(last_resort_.begin(), last_resort_.end(), who.region) != last_resort_.end();
    for (const auto& text : who.http)
      if (auto reached = parse_host_port(text); reached && dns::region_table::add_address(entry, reached->host))
        entry.http_port = reached->port;
  };
  std::unique_lock lock{names_};
  add(node_->self, true, node_->pace.load());
  for (const auto& peer : view->peers)
    add(peer.identity, peer.usable(), peer.load);
  for (const auto& [name, number] : by_region_) // one that was removed keeps its number
    if (number < table.regions.size() && table.regions[number].name.empty()) {
      table.regions[number].name = name;
      table.regions[number].live = false;
    }
  regions_.set(std::move(table));
  loaded_ = loaded;
}

dns::ranked geo_dns::rank(const ip_prefix& client) const {
  thread_local std::vector<remembered> memory(remembered_orders);
  auto distances = node_->distances.get();
  auto loaded = loaded_.load();
  auto minute = node_->steady_ms() / 60'000;
  auto& entry = memory[slot_of(client)];
  if (entry.made_from != distances || entry.loaded != loaded || entry.minute != minute || !(entry.client == client))
    entry = {distances, loaded, minute, client, find_order(client, *distances, loaded)};
  return entry.order;
}

dns::ranked geo_dns::find_order(const ip_prefix& client, const round_trip_estimate& distances,
                                dns::region_set loaded) const {
  auto found = node_->places->find(client.address);
  client_place place{std::move(found.region), found.at};
  if (place.region.empty() && !place.at)
    place.region = node_->self.region;
  auto regions = regions_.get();
  std::vector<std::optional<dns::region_id>> ids; // by number of the site
  std::vector<region_condition> conditions;
  for (const auto& site : distances.sites()) {
    auto at = std::find_if(regions->regions.begin(), regions->regions.end(),
                           [&](const dns::region& region) { return region.name == site.name; });
    auto& id = ids.emplace_back();
    if (at != regions->regions.end())
      id = static_cast<dns::region_id>(at - regions->regions.begin());
    conditions.push_back({.load = id && dns::has(loaded, *id) ? 1.0 : 0.0});
  }
  dns::ranked result;
  for (const auto& next : rank_regions(place, distances, conditions, rule_))
    if (auto id = ids[next.number])
      result.order.add(*id);
  result.scope = static_cast<uint8_t>(found.network.bits);
  return result;
}

} // namespace gnomon
