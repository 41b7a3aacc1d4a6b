#include "runtime/gateway/http_server.hpp"

#include "actors/node/supervisor.hpp"
#include "runtime/base/log.hpp"
#include "runtime/gateway/gateway_actor.hpp"
#include "runtime/gateway/http_worker.hpp"
#include "runtime/gateway/open_requests.hpp"

#include <boost/asio/post.hpp>

#include <thread>

namespace gnomon {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr uint64_t serial_bits = 48;
constexpr uint32_t turned_away_at_once = 64; // connections beyond a bound that are told so; more are just closed
constexpr auto accept_pause = 100ms;         // after a failed accept, for example without free file descriptors
constexpr auto gateway_bound = 10s;          // for its start

} // namespace

struct http_server::implementation {
  implementation(context_ptr node, caf::actor_system& system, http_config config) : system(system) {
    parts = std::make_shared<http::server_parts>();
    parts->node = std::move(node);
    parts->config = std::move(config);
    parts->bodies.limit = parts->config.max_buffered_bytes;
    parts->security.set(parts->config.security);
    parts->tokens = std::make_unique<http::token_check>(parts->node);
    parts->clients.emplace(parts->config.max_connections_each, parts->config.proxies);
  }

  expected<uint16_t> listen();
  caf::error connect_to_actors();
  void accept();
  void accept_later(std::string_view reason);
  void hand_out(http::worker& home, const std::shared_ptr<tcp::socket>& socket);
  void wait_for_drain();
  void end_gateway();

  caf::actor_system& system;
  std::shared_ptr<http::server_parts> parts; // the gateway actor may end after the server
  std::shared_ptr<http::open_requests> open;
  supervisor_actor keeper; // of the gateway
  std::optional<tcp::acceptor> acceptor;
  std::optional<asio::steady_timer> pause;
  std::vector<std::thread> threads;
  size_t next_worker = 0;
};

expected<uint16_t> http_server::implementation::listen() {
  const auto& config = parts->config;
  auto place = config.host + ":" + std::to_string(config.port);
  error_code fault;
  auto address = asio::ip::make_address(config.host, fault);
  if (fault)
    return make_error(ec::bad_config, "cannot serve HTTP at " + place + ": " + config.host + " is not an IP address");
  tcp::endpoint where{address, config.port};
  acceptor.emplace(parts->workers.front()->context);
  acceptor->open(where.protocol(), fault);
  if (!fault)
    acceptor->set_option(asio::socket_base::reuse_address{true}, fault);
  if (!fault)
    acceptor->bind(where, fault);
  if (!fault)
    acceptor->listen(asio::socket_base::max_listen_connections, fault);
  if (fault) {
    acceptor.reset();
    return make_error(ec::bad_config, "cannot serve HTTP at " + place + ": " + fault.message()
                                          + "; choose another address or port, or stop what uses it");
  }
  return acceptor->local_endpoint().port();
}

caf::error http_server::implementation::connect_to_actors() {
  std::weak_ptr<http::server_parts> weak = parts;
  open = std::make_shared<http::open_requests>([weak](uint64_t token, http::client_result result) {
    auto parts = weak.lock();
    if (!parts)
      return;
    auto& owner = *parts->workers[token >> serial_bits];
    auto serial = token & ((uint64_t{1} << serial_bits) - 1);
    asio::post(owner.context,
               [&owner, serial, result = std::move(result)]() mutable { owner.deliver(serial, std::move(result)); });
  });
  auto start = [open = open, node = parts->node](caf::actor_system& system) {
    auto answer = [open](uint64_t token, http::client_result result) { open->answer(token, std::move(result)); };
    auto handle = system.spawn(gnomon::gateway, node, std::move(answer));
    open->serve_with(handle);
    return caf::actor_cast<caf::actor>(handle);
  };
  keeper =
      system.spawn(supervisor, supervisor_config{"HTTP server", {{"gateway", &restart_rule_of("gateway"), start}}});
  parts->ask = [open = open](uint64_t token, http::client_message message) { open->ask(token, std::move(message)); };
  if (open->wait_for_gateway(gateway_bound))
    return {};
  return make_error(ec::timeout, "the gateway for HTTP did not start in time; is the machine overloaded?");
}

// Whatever happens, the server goes on accepting.
void http_server::implementation::accept() {
  auto& home = *parts->workers[next_worker++ % parts->workers.size()];
  auto socket = std::make_shared<tcp::socket>(home.context);
  acceptor->async_accept(*socket, [this, &home, socket](const error_code& fault) {
    if (fault == asio::error::operation_aborted || !acceptor->is_open())
      return;
    if (fault)
      return accept_later(fault.message());
    try {
      hand_out(home, socket);
      accept();
    } catch (const std::exception& problem) {
      accept_later(problem.what());
    }
  });
}

void http_server::implementation::accept_later(std::string_view reason) {
  log::warn("http", "accept-failed", {{"reason", reason}});
  pause->expires_after(accept_pause);
  pause->async_wait([this](const error_code& stopped) {
    if (!stopped)
      accept();
  });
}

void http_server::implementation::hand_out(http::worker& home, const std::shared_ptr<tcp::socket>& socket) {
  error_code gone;
  const auto from = ip_address::parse(socket->remote_endpoint(gone).address().to_string());
  auto [place, full] = parts->clients->enter(from.value_or(ip_address{}), turned_away_at_once);
  if (!place)
    return;
  auto bound = parts->config.max_connections;
  auto already = parts->connections.fetch_add(1);
  if (already >= bound + turned_away_at_once)
    parts->connections.fetch_sub(1);
  else
    asio::post(home.context, [&home, socket, place = std::move(place), full = full || already >= bound]() mutable {
      home.adopt(std::move(*socket), std::move(place), full);
    });
}

void http_server::implementation::wait_for_drain() {
  auto end = std::chrono::steady_clock::now() + parts->config.drain_timeout;
  while (parts->connections.load() > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(5ms);
  if (auto left = parts->connections.load(); left > 0)
    log::warn("http", "drain-cut-short", {{"connections", left}});
}

void http_server::implementation::end_gateway() {
  caf::anon_send_exit(keeper, caf::exit_reason::user_shutdown);
  keeper = nullptr;
  parts->ask = nullptr;
}

http_server::http_server(context_ptr node, caf::actor_system& system, http_config config)
    : self_(std::make_unique<implementation>(std::move(node), system, std::move(config))) {}

http_server::~http_server() {
  stop();
}

expected<uint16_t> http_server::start() {
  auto& parts = *self_->parts;
  auto count = parts.config.threads > 0 ? parts.config.threads : std::max(1u, std::thread::hardware_concurrency());
  for (size_t i = 0; i < count; ++i)
    parts.workers.push_back(std::make_unique<http::worker>(parts, i));
  auto port = self_->listen();
  if (!port) {
    parts.workers.clear();
    return port;
  }
  if (auto err = self_->connect_to_actors()) {
    self_->end_gateway();
    return err;
  }
  self_->pause.emplace(parts.workers.front()->context);
  self_->accept();
  for (auto& worker : parts.workers)
    self_->threads.emplace_back(log::bound([&worker = *worker] { worker.run(); }));
  log::info("http", "listening",
            {{"host", parts.config.host},
             {"port", *port},
             {"threads", count},
             {"tls", parts.config.security.credentials != nullptr},
             {"tokens", parts.config.security.authorize}});
  return port;
}

gateway_actor http_server::gateway() const {
  return self_->open ? self_->open->gateway() : gateway_actor{};
}

void http_server::secure(http_security now) {
  auto& parts = *self_->parts;
  parts.security.set(std::move(now));
  if (self_->threads.empty())
    return;
  for (auto& worker : parts.workers)
    asio::post(worker->context, [&worker = *worker] { worker.look_at_security(); });
}

void http_server::stop() {
  if (self_->threads.empty())
    return;
  auto& workers = self_->parts->workers;
  asio::post(workers.front()->context, [this] {
    error_code ignored;
    self_->acceptor->close(ignored);
    self_->pause->cancel();
  });
  for (auto& worker : workers)
    asio::post(worker->context, [&worker = *worker] { worker.drain(); });
  self_->wait_for_drain();
  for (auto& worker : workers)
    asio::post(worker->context, [&worker = *worker] {
      worker.close_all();
      worker.context.stop();
    });
  for (auto& thread : self_->threads)
    thread.join();
  self_->threads.clear();
  self_->end_gateway();
  self_->acceptor.reset();
  self_->pause.reset();
  log::info("http", "stopped");
}

} // namespace gnomon
