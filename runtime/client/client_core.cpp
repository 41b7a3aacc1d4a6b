#include "runtime/client/client.hpp"

#include "runtime/client/system_config.hpp"

namespace gnomon {

namespace {

constexpr auto close_timeout = std::chrono::seconds{1};

/// The router is an actor of this very process.
class local_transport final : public session_transport {
public:
  explicit local_transport(std::function<router_actor()> current) : current_(std::move(current)) {}
  void connect(session_actor::pointer, answer done) override {
    if (auto router = current_())
      done(std::move(router));
    else
      done(make_error(ec::unavailable, "the node is not running: start it first"));
  }

private:
  std::function<router_actor()> current_;
};

} // namespace

local_clients::~local_clients() {
  close();
}

client local_clients::make(caf::actor_system& system, std::function<router_actor()> current_router,
                           client_options options) {
  auto core = std::make_shared<client::core>(system, std::make_shared<local_transport>(std::move(current_router)),
                                             std::move(options));
  std::lock_guard guard{mutex_};
  std::erase_if(made_, [](const auto& made) { return made.expired(); });
  made_.push_back(core);
  return client{std::move(core)};
}

void local_clients::close() {
  std::vector<std::weak_ptr<client::core>> made;
  {
    std::lock_guard guard{mutex_};
    made.swap(made_);
  }
  for (auto& weak : made)
    if (auto core = weak.lock())
      core->close();
  auto deadline = session_call::clock::now() + close_timeout;
  for (auto& weak : made)
    if (auto core = weak.lock())
      core->wait_closed(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - session_call::clock::now()));
}

client::core::core(caf::actor_system& system, std::shared_ptr<session_transport> transport, client_options options)
    : system_(&system) {
  port_.options = std::move(options);
  open(std::move(transport));
}

void client::core::open(std::shared_ptr<session_transport> transport) {
  auto spawned = system_.load()->spawn(session, session_config{port_.options, port_.outbox, std::move(transport)});
  port_.outbox->open(spawned);
}

caf::actor_system& client::core::system() const {
  if (auto system = system_.load())
    return *system;
  throw failure{ec::unavailable, "the node of this client has stopped, and its actor system with it"};
}

front_actor client::core::front() {
  std::lock_guard guard{mutex_};
  if (!front_)
    front_ = spawn_front(system(), weak_from_this());
  return front_;
}

void client::core::close() {
  if (!own_)
    system_ = nullptr;
  front_actor front;
  {
    std::lock_guard guard{mutex_};
    std::swap(front, front_);
  }
  if (front)
    caf::anon_send_exit(front, caf::exit_reason::user_shutdown);
  port_.outbox->push([](session_state& session) { session.close(); });
}

bool client::core::wait_closed(std::chrono::milliseconds bound) {
  return port_.outbox->wait_closed(bound);
}

/// What a client needs that has no node in its process.
struct client::core::own_system {
  explicit own_system(const client_options& options) : config(options.threads, {}, options.prepare) {}
  system_config config;
  caf::actor_system system{config};
};

client::core::core(std::shared_ptr<session_transport> transport, client_options options)
    : own_(std::make_unique<own_system>(options)), system_(&own_->system) {
  port_.options = std::move(options);
  // An app's watchers may still be alive when the last client goes; they must not keep the program from ending.
  own_->system.await_actors_before_shutdown(false);
  open(std::move(transport));
}

client::core::~core() {
  close();
  if (own_)
    wait_closed(close_timeout);
}

} // namespace gnomon
