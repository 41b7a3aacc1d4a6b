#include "runtime/replay/cluster.hpp"

#include "runtime/replay/node_api.hpp"
#include "runtime/tls/authority.hpp"
#include "runtime/tls/credentials.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <thread>

#include <spdlog/fmt/fmt.h>
#include <toml++/toml.h>

namespace gnomon::replay {

using namespace std::chrono_literals;

namespace {

constexpr auto stop_bound = 15s;
constexpr auto ask_again = 100ms;
constexpr auto measuring = 2s; // a few heartbeats: before these, nodes choose neighbours by what starting up cost
constexpr size_t shown_log_lines = 12;

expected<node_config> read_node_config(const std::filesystem::path& file) {
  node_config result;
  result.file = file;
  try {
    auto table = toml::parse_file(file.string());
    result.name = table.at_path("node.name").value_or(std::string{});
    result.region.name = table.at_path("node.region").value_or(std::string{});
    auto latitude = table.at_path("node.latitude").value<double>();
    auto longitude = table.at_path("node.longitude").value<double>();
    if (latitude && longitude)
      result.region.where = place{*latitude, *longitude};
  } catch (const toml::parse_error& broken) {
    return make_error(ec::bad_config,
                      fmt::format("{} line {}: {}", file.string(), broken.source().begin.line, broken.description()));
  }
  if (result.name.empty() || result.region.name.empty())
    return make_error(ec::bad_config, file.string() + " names no node.name and node.region");
  return result;
}

std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

std::string local_address(uint16_t port) {
  return in_quotes(fmt::format("127.0.0.1:{}", port));
}

std::string client_networks(const std::vector<node_config>& nodes) {
  std::string list;
  for (size_t i = 0; i < nodes.size(); ++i)
    list += fmt::format("{}\"{}/16 = {}\"", i == 0 ? "" : ", ", clients_of(i), nodes[i].region.name);
  return '[' + list + ']';
}

credential_files certificates_of(const cluster_options& options, const std::string& node) {
  const auto folder = options.work / "certs";
  return {(folder / (node + ".pem")).string(), (folder / (node + ".key")).string(), (folder / "ca.pem").string()};
}

/// An authority for this cluster alone, and a certificate for each node.
caf::error make_certificates(const cluster_options& options, const std::vector<node_config>& nodes) {
  constexpr unsigned days = 30;
  std::error_code failure;
  std::filesystem::create_directories(options.work / "certs", failure);
  if (failure)
    return make_error(ec::store_failed,
                      fmt::format("cannot create {}: {}", (options.work / "certs").string(), failure.message()));
  const auto valid = validity::for_days(days);
  const auto authority = make_authority("gnomon-replay", valid);
  if (!authority)
    return authority.error();
  const auto own = certificates_of(options, "ca");
  if (auto problem = write_new(*authority, own.certificate, own.key))
    return problem;
  for (const auto& node : nodes) {
    const auto made = issue_certificate(own.certificate, own.key, {node.name, bearer::node, {"127.0.0.1"}}, valid);
    if (!made)
      return made.error();
    const auto files = certificates_of(options, node.name);
    if (auto problem = write_new(*made, files.certificate, files.key))
      return problem;
  }
  return {};
}

int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

} // namespace

expected<std::vector<node_config>> read_node_configs(const std::filesystem::path& folder) {
  std::error_code failure;
  std::vector<node_config> nodes;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->path().extension() != ".toml")
      continue;
    auto node = read_node_config(entry->path());
    if (!node)
      return node.error();
    nodes.push_back(std::move(*node));
  }
  if (failure)
    return make_error(ec::not_found, "cannot read the configs in " + folder.string() + ": " + failure.message());
  if (nodes.empty())
    return make_error(ec::not_found, "there is no .toml file in " + folder.string());
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a.region.name < b.region.name; });
  return nodes;
}

expected<round_trips> distances_of(const std::filesystem::path& configs) {
  auto file = configs / "round-trips.csv";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return make_error(ec::bad_config, "there is no " + file.string()
                                          + ", which says how far the regions are from each other; add it, "
                                            "or give --no-delays");
  return round_trips::load(file);
}

std::string clients_of(size_t region) {
  return fmt::format("10.{}.0.0", region + 1);
}

std::vector<std::string> node_command(const cluster_options& options, const std::vector<node_config>& nodes,
                                      size_t index, const std::vector<node_ports>& ports, const round_trips& delays,
                                      int64_t clock_origin_ms) {
  const auto& node = nodes[index];
  std::vector<std::string> command{options.gnomond.string(), "--config-file=" + node.file.string()};
  auto set = [&](std::string_view key, std::string_view value) {
    command.push_back("--set");
    command.push_back(fmt::format("{}={}", key, value));
  };
  std::string seeds;
  for (const auto& each : ports)
    seeds += (seeds.empty() ? "" : ", ") + local_address(each.tunnel);
  set("listen.http", local_address(ports[index].http));
  set("listen.tunnel", local_address(ports[index].tunnel));
  set("cluster.seeds", '[' + seeds + ']');
  set("node.data_dir", in_quotes((options.work / node.name).string()));
  set("clock.scale", fmt::format("{:.6f}", options.time_scale));
  set("clock.origin", std::to_string(clock_origin_ms));
  for (const auto& peer : nodes) {
    auto round_trip = std::lround(delays.between(node.region.name, peer.region.name));
    // An odd millisecond goes to one of the two directions: the config takes whole ones.
    auto one_way = node.name < peer.name ? round_trip / 2 : round_trip - round_trip / 2;
    if (options.delays && one_way > 0)
      set("links.delay." + peer.name, in_quotes(fmt::format("{}ms", one_way)));
  }
  if (options.tls) {
    const auto files = certificates_of(options, node.name);
    set("cluster.insecure", "false");
    set("cluster.certificate", in_quotes(files.certificate));
    set("cluster.key", in_quotes(files.key));
    set("cluster.authorities", in_quotes(files.authorities));
    set("http.certificate", in_quotes(files.certificate));
    set("http.key", in_quotes(files.key));
  }
  if (!options.zone.empty()) {
    set("listen.dns", local_address(ports[index].dns));
    set("listen.public_http", '[' + local_address(ports[index].http) + ']');
    set("dns.zones", '[' + in_quotes(options.zone) + ']');
    set("dns.answers_per_second", "0"); // all clients ask through one resolver
    set("location.networks", client_networks(nodes));
    set("location.proxies", "[\"127.0.0.1/32\"]"); // clients say in X-Forwarded-For where they are
  }
  for (const auto& setting : options.settings) {
    command.push_back("--set");
    command.push_back(setting);
  }
  return command;
}

expected<std::unique_ptr<local_cluster>> local_cluster::start(event_loop& loop, const cluster_options& options) {
  std::unique_ptr<local_cluster> cluster{new local_cluster{loop}};
  if (auto wrong = cluster->launch(options))
    return wrong;
  if (auto wrong = cluster->wait_until_ready())
    return wrong;
  return cluster;
}

local_cluster::~local_cluster() {
  stop();
}

caf::error local_cluster::launch(const cluster_options& options) {
  auto nodes = read_node_configs(options.configs);
  if (!nodes)
    return nodes.error();
  if (auto problem = options.tls ? make_certificates(options, *nodes) : caf::error{})
    return problem;
  auto trust = options.tls ? credentials::of_http_client({{}, {}, certificates_of(options, "ca").authorities})
                           : expected<credentials_ptr>{nullptr};
  if (!trust)
    return trust.error();
  auto delays = options.delays ? distances_of(options.configs) : expected<round_trips>{round_trips{}};
  if (!delays)
    return delays.error();
  auto free = free_ports(3 * nodes->size());
  if (!free)
    return free.error();
  std::vector<node_ports> ports;
  for (size_t i = 0; i < nodes->size(); ++i)
    ports.push_back({(*free)[3 * i], (*free)[3 * i + 1], (*free)[3 * i + 2]});
  auto origin = wall_clock_ms();
  for (size_t i = 0; i < nodes->size(); ++i) {
    const auto& node = (*nodes)[i];
    std::error_code failure;
    std::filesystem::create_directories(options.work / node.name, failure);
    if (failure)
      return make_error(ec::store_failed,
                        "cannot create " + (options.work / node.name).string() + ": " + failure.message());
    auto log = options.work / (node.name + ".log");
    auto program = process::start(node_command(options, *nodes, i, ports, *delays, origin), log);
    if (!program)
      return program.error();
    members_.push_back({node.region.name, log, std::move(*program)});
    targets_.push_back({node.region, {{"127.0.0.1", ports[i].http}, *trust}});
    if (!options.zone.empty())
      name_servers_.push_back({"127.0.0.1", ports[i].dns});
  }
  return {};
}

caf::error local_cluster::wait_until_ready() {
  auto deadline = std::chrono::steady_clock::now() + start_bound;
  for (const auto& node : targets_) {
    for (;;) {
      if (auto wrong = check())
        return wrong;
      auto ready = get_text(loop_, node.api, "/health/ready");
      auto cluster = ready ? get_text(loop_, node.api, "/cluster") : std::move(ready);
      auto view = cluster ? parse_cluster(*cluster) : expected<node_view>{cluster.error()};
      if (view && view->live_nodes >= targets_.size())
        break;
      if (std::chrono::steady_clock::now() > deadline) {
        auto last = view ? fmt::format("it sees {} of {} nodes alive", view->live_nodes, targets_.size())
                         : sentence_of(view.error());
        return make_error(ec::timeout, fmt::format("region {} is not ready after {} s: {}", node.region.name,
                                                   start_bound.count(), last));
      }
      if (auto wrong = loop_.pause(ask_again))
        return wrong;
    }
  }
  return loop_.pause(measuring);
}

void local_cluster::kill(size_t number) {
  members_[number].program->kill();
}

caf::error local_cluster::check() {
  for (auto& member : members_)
    if (!member.program->running())
      return make_error(ec::unavailable,
                        fmt::format("the node of {} has ended ({}); the end of its log:\n{}", member.region,
                                    member.program->ending(), last_lines(member.log, shown_log_lines)));
  return {};
}

void local_cluster::stop() {
  for (auto& member : members_)
    member.program->ask_to_stop();
  auto deadline = std::chrono::steady_clock::now() + stop_bound;
  auto any_running = [&] {
    return std::any_of(members_.begin(), members_.end(), [](auto& member) { return member.program->running(); });
  };
  // Not in the loop: this has to work after an interruption, too.
  while (any_running() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(20ms);
  members_.clear();
}

} // namespace gnomon::replay
