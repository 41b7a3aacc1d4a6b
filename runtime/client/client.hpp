#pragma once

#include "gnomon/client.hpp"
#include "runtime/client/session.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace gnomon {

/// Where callers hand over their requests. Copies reach the same session. Thread-safe.
struct session_port {
  client_options options;
  std::shared_ptr<session_outbox> outbox = std::make_shared<session_outbox>();
};

/// The clients inside the node's process. Destroying it closes them. Thread-safe.
class local_clients {
public:
  local_clients() = default;
  ~local_clients();
  /// `current_router` answers the router as it is now (it changes when the supervisor restarts it); it is called from
  /// the client's actor. `system`, and what the function uses, must live until `close`.
  client make(caf::actor_system& system, std::function<router_actor()> current_router, client_options options);
  /// Ends their sessions: what is under way, or asked later, fails with `unavailable`. To be called before the actor
  /// system ends, which else waits for them. Bounded by a second.
  void close();

private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<session_outbox>> made_;
};

/// What the copies of a client share: the session, and for a client outside the node an actor system of its own.
class client::core {
public:
  /// Inside the node.
  core(caf::actor_system& system, std::shared_ptr<session_transport> transport, client_options options);
  /// Outside: with its own actor system.
  core(std::filesystem::path socket, client_options options);
  ~core();
  core(const core&) = delete;
  core& operator=(const core&) = delete;

  const session_port& port() const {
    return port_;
  }
  caf::actor_system& system() {
    return *system_;
  }

private:
  struct own_system;
  void open(std::shared_ptr<session_transport> transport);

  std::unique_ptr<own_system> own_;
  caf::actor_system* system_ = nullptr;
  session_port port_;
};

} // namespace gnomon
