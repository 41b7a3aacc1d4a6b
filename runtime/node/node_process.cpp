#include "runtime/node/node_process.hpp"

#include "actors/cluster/cluster_memory.hpp"
#include "runtime/base/log.hpp"
#include "runtime/client/system_config.hpp"
#include "runtime/gateway/http_server.hpp"
#include "runtime/net/endpoint.hpp"
#include "runtime/net/network.hpp"
#include "runtime/node/data_directory.hpp"
#include "runtime/node/geo_dns.hpp"
#include "runtime/node/node_location.hpp"
#include "runtime/node/node_security.hpp"
#include "runtime/node/node_tree.hpp"
#include "runtime/node/start_check.hpp"

#include <spdlog/fmt/fmt.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

namespace gnomon {

namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr auto start_bound = 60s; // the policies have to be read; the records may take as long as they need
constexpr auto join_bound = 15s;
constexpr auto close_bound = 2s; // for actors that are not ours

/// Becomes true once, from any thread.
class ending {
public:
  void tell() {
    std::lock_guard lock{mutex_};
    over_ = true;
    changed_.notify_all();
  }
  bool wait_until(steady::time_point deadline) const {
    std::unique_lock lock{mutex_};
    return changed_.wait_until(lock, deadline, [this] { return over_; });
  }

private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool over_ = false;
};

expected<std::vector<std::shared_ptr<kv_store>>> open_stores(const node_config& config) {
  if (auto problem = make_folder(config.data_dir))
    return make_error(ec::store_failed,
                      fmt::format("node.data_dir = \"{}\" cannot be created: {}; create it, or choose one "
                                  "that this user may write",
                                  config.data_dir, problem.message()));
  std::vector<std::shared_ptr<kv_store>> stores;
  for (size_t i = 0; i < config.actors.stores; ++i) {
    auto store = open_level_store(store_path(config, i));
    if (!store)
      return store.error();
    stores.push_back(std::move(*store));
  }
  make_private(config.data_dir);
  return stores;
}

/// Clients elsewhere can be told of this address.
bool is_reachable(const std::string& host) {
  auto address = ip_address::parse(host);
  return address && std::any_of(address->bytes().begin(), address->bytes().end(), [](auto byte) { return byte != 0; });
}

context_ptr make_context(const node_config& config, const store_identity& store) {
  node_identity self;
  self.cluster = config.cluster;
  self.node = config.name;
  self.region = config.region;
  self.incarnation = store.incarnation;
  self.start = random_u64();
  self.latitude = config.latitude;
  self.longitude = config.longitude;
  self.address = to_string(config.advertise); // empty: the tunnel says where it listens
  self.http = config.public_http;
  if (self.http.empty() && config.http.port != 0 && is_reachable(config.http.host))
    self.http.push_back(to_string(config.http));
  auto actors = config.actors;
  actors.store_path = config.data_dir;
  auto time = std::make_shared<scaled_clock>(config.clock_scale, timestamp{duration{config.clock_origin_ms}});
  auto node = std::make_shared<node_context>(std::move(self), std::move(actors), std::move(time));
  node->holding_sequence = store.start << 32; // no two starts ever draw the same number
  return node;
}

http_config http_of(const node_config& config, const network& net) {
  http_config http;
  http.tunnel_counts = [&net] { return net.counts(); };
  http.host = parse_address(to_string(config.http))->address().to_string(); // the config was checked
  http.port = config.http.port;
  http.threads = config.http_threads;
  http.max_connections = possible_connections(config);
  if (http.max_connections < config.http_connections)
    log::warn(
        "gnomond", "few-files",
        {{"http_connections", http.max_connections}, {"wanted", config.http_connections}, {"raise", "ulimit -n"}});
  // One client alone never takes all places, also where there are few.
  http.max_connections_each = std::min(config.http_connections_each, std::max(1u, http.max_connections / 4 * 3));
  http.proxies = proxies_of(config);
  for (const auto& text : config.http_proxies)
    http.proxies.push_back(*ip_prefix::parse(text));
  http.max_buffered_bytes = config.http_buffered_bytes;
  http.head_timeout = config.http_head_timeout;
  http.body_timeout = config.http_body_timeout;
  http.body_limit = config.http_body_limit;
  http.idle_timeout = config.http_idle_timeout;
  http.write_timeout = config.http_write_timeout;
  http.drain_timeout = config.stop_within / 2;
  return http;
}

} // namespace

/// Declared in the order of their start, so that they also end in the reverse order.
struct node_process::parts {
  explicit parts(node_config c) : config(std::move(c)) {}

  node_config config;
  system_preparation prepare;
  context_ptr node;
  std::unique_ptr<system_config> settings;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<kv_store> first_store; // keeps the catalog's numbers
  std::unique_ptr<network> net;
  cluster_memory memory; // of earlier runs
  caf::actor root;
  std::shared_ptr<ending> root_ended;
  std::unique_ptr<geo_dns> dns; // hears of the shards until the actor system has ended
  std::unique_ptr<http_server> http;
  std::string http_address;
  std::atomic<bool> running = false;

  caf::error start();
  caf::error prepare_location();
  caf::error start_tree(std::vector<std::shared_ptr<kv_store>> stores);
  caf::error await_rules();
  caf::error join();
  caf::error start_http();
  void stop();
  void keep_numbers();
  void close_system();
};

caf::error node_process::parts::start() {
  if (auto err = check_start(config))
    return err;
  auto stores = open_stores(config);
  if (!stores)
    return stores.error();
  auto identity = settle_identity(config.data_dir, *stores, config.restored);
  if (!identity)
    return identity.error();
  node = make_context(config, *identity);
  settings = std::make_unique<system_config>(config.threads, log::in_use(), prepare);
  system = std::make_unique<caf::actor_system>(*settings);
  auto way = tunnel_of(config);
  if (!way)
    return way.error();
  auto started = network::start(*system, node, std::move(*way));
  if (!started)
    return started.error();
  net = std::move(*started);
  node->self.address = net->address();
  auto recalled = recall_cluster(*stores->front());
  if (!recalled)
    return recalled.error();
  memory = std::move(*recalled);
  if (memory.removed.refuses(node->self.node, node->self.incarnation))
    return make_error(ec::rejected, why_removed(node->self.node));
  node->removed.set(memory.removed);
  auto numbers = take_catalog(*stores->front());
  if (!numbers)
    return numbers.error();
  node->last_catalog = std::move(*numbers);
  first_store = stores->front();
  if (auto err = prepare_location())
    return err;
  if (auto err = start_tree(std::move(*stores)))
    return err;
  if (auto err = join())
    return err;
  if (auto err = dns ? dns->start() : caf::error{})
    return err;
  return start_http();
}

/// Where clients are, and the names that DNS answers; both before the first actor asks.
caf::error node_process::parts::prepare_location() {
  auto places = locator::make(location_of(config));
  if (!places)
    return places.error();
  node->places = std::move(*places);
  node->proxies.set(proxies_of(config));
  if (config.dns.empty())
    return {};
  auto zones = zones_of(config);
  if (!zones)
    return zones.error();
  dns = std::make_unique<geo_dns>(node, config, std::move(*zones));
  return {};
}

caf::error node_process::parts::start_tree(std::vector<std::shared_ptr<kv_store>> stores) {
  membership_config membership;
  membership.seeds = config.seeds;
  membership.dialer = net->dialer();
  membership.known = memory.members;
  membership.met = memory.addresses;
  root_ended = std::make_shared<ending>();
  root = caf::actor_cast<caf::actor>(
      system->spawn(supervisor, node_tree({node, std::move(stores), std::move(membership)})));
  root->attach_functor([told = root_ended] { told->tell(); });
  net->when_failed([root = root](std::string_view part) {
    log::error("gnomond", "part-failed", {{"part", part}, {"meaning", "no node can be reached, so this one ends"}});
    caf::anon_send_exit(root, caf::exit_reason::unhandled_exception);
  });
  return await_rules();
}

/// Requests are taken from then on. What is held here is read meanwhile.
caf::error node_process::parts::await_rules() {
  auto deadline = steady::now() + start_bound;
  while (!node->counters.rules_known || !node->handles.get()->router) {
    if (root_ended->wait_until(steady::now() + 5ms))
      return make_error(ec::internal, "the actors of this node fail as soon as they start; the log says which and why");
    if (steady::now() > deadline)
      return make_error(ec::timeout,
                        fmt::format("the store in {} could not be read within {} s; is the disk overloaded?",
                                    config.data_dir, start_bound.count()));
  }
  return {};
}

caf::error node_process::parts::join() {
  caf::error refusal;
  caf::scoped_actor self{*system, true};
  self->request(node->handles.get()->membership, join_bound, join_a_v)
      .receive(
          [&](uint32_t reached) {
            if (reached == 0 && !config.seeds.empty())
              log::info("gnomond", "no-seed-reached", // so it is with the first node of a cluster
                        {{"seeds", fmt::format("{}", fmt::join(config.seeds, ","))},
                         {"meaning", "this node is alone so far, and goes on trying"}});
          },
          [&](const caf::error& err) {
            if (code_of(err) == ec::rejected)
              refusal = err;
            else
              log::warn("gnomond", "join-unfinished", {{"reason", sentence_of(err)}});
          });
  return refusal;
}

caf::error node_process::parts::start_http() {
  if (config.http.empty())
    return {};
  auto security = http_security_of(config);
  if (!security)
    return security.error();
  auto settings = http_of(config, *net);
  settings.security = std::move(*security);
  if (!settings.security.authorize && settings.security.credentials)
    log::info("gnomond", "http-open",
              {{"meaning", "on loopback nobody needs a token; http.tokens = true asks for one"}});
  http = std::make_unique<http_server>(node, *system, std::move(settings));
  auto port = http->start();
  if (!port)
    return port.error();
  http_address = to_string(host_port{config.http.host, *port});
  return {};
}

void node_process::parts::stop() {
  auto deadline = steady::now() + config.stop_within;
  running = false;
  if (http)
    http->stop();
  if (dns)
    dns->stop();
  if (root) {
    auto failed = root_ended->wait_until(steady::time_point{});
    caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
    if (!root_ended->wait_until(deadline)) {
      log::error("gnomond", "stop-overdue", {{"after_ms", config.stop_within.count()}});
      caf::anon_send_exit(root, caf::exit_reason::kill);
    } else if (!failed) {
      keep_numbers();
    }
  }
  first_store.reset();
  http.reset();
  root = nullptr;
  if (net)
    net->stop();
  net.reset();
  if (node) {
    node->actors = {};
    node->handles.set({});
    node->cluster.set({});
  }
}

/// Peers that know this node's catalog need not pull it again after the next start.
void node_process::parts::keep_numbers() {
  if (node->counters.shards_ready < shard_count)
    return;
  if (auto kept = keep_catalog(*first_store, node->counters); !kept)
    log::warn("gnomond", "catalog-not-kept", {{"reason", sentence_of(kept.error())}});
}

/// An app may have left its own actors in our system. They must not hold us for ever, and the system that they still
/// use must not go: it stays until the process ends.
void node_process::parts::close_system() {
  if (!system)
    return;
  auto deadline = steady::now() + close_bound;
  while (system->registry().running() > 0 && steady::now() < deadline)
    std::this_thread::sleep_for(1ms);
  if (auto left = system->registry().running(); left > 0) {
    log::warn("gnomond", "actors-left", {{"count", left}, {"meaning", "they keep threads and memory of this node"}});
    static_cast<void>(system.release());
    static_cast<void>(settings.release());
    return;
  }
  system.reset();
}

node_process::node_process(node_config config) : parts_(std::make_unique<parts>(std::move(config))) {}

node_process::~node_process() {
  parts_->stop();
  parts_->close_system();
}

void node_process::prepare(system_preparation with) {
  parts_->prepare = std::move(with);
}

caf::error node_process::start() {
  auto err = parts_->start();
  if (err)
    parts_->stop();
  else
    parts_->running = true;
  return err;
}

void node_process::stop() {
  parts_->stop();
}

bool node_process::running() const {
  return parts_->running && !parts_->root_ended->wait_until(steady::time_point{});
}

bool node_process::wait(duration bound) const {
  return !parts_->root_ended || parts_->root_ended->wait_until(steady::now() + bound);
}

const node_config& node_process::config() const {
  return parts_->config;
}

std::string node_process::http_address() const {
  return parts_->http_address;
}

std::vector<host_port> node_process::dns_addresses() const {
  return parts_->dns ? parts_->dns->addresses() : std::vector<host_port>{};
}

caf::error node_process::relocate(const node_config& after) {
  const auto& node = parts_->node;
  if (!node)
    return {};
  node->proxies.set(proxies_of(after));
  return node->places->reload(location_of(after));
}

caf::error node_process::secure(const node_config& after) {
  if (!parts_->net)
    return {};
  auto security = security_of(after);
  if (!security)
    return security.error();
  auto of_http = http_security_of(after);
  if (!of_http)
    return of_http.error();
  if (after.http_certificate.empty() != parts_->config.http_certificate.empty())
    return make_error(ec::bad_config, "http.certificate can be replaced while the node runs, but neither set nor "
                                      "removed; restart the node for that");
  if (auto problem = parts_->net->secure(std::move(*security)))
    return problem;
  if (parts_->http)
    parts_->http->secure(std::move(*of_http));
  return {};
}

std::string node_process::tunnel_address() const {
  return parts_->node ? parts_->node->self.address : std::string{};
}

caf::actor_system& node_process::system() {
  return *parts_->system;
}

const context_ptr& node_process::context() const {
  return parts_->node;
}

} // namespace gnomon
