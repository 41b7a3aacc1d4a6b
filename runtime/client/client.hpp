#pragma once

#include "gnomon/client.hpp"
#include "runtime/client/session.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace gnomon {

/// Callers hand over their requests here. Copies reach the same session. Thread-safe.
struct session_port {
  client_options options;
  std::shared_ptr<session_outbox> outbox = std::make_shared<session_outbox>();
};

/// The clients inside the node's process. Destroying it closes them. Thread-safe.
class local_clients {
public:
  local_clients() = default;
  ~local_clients();
  /// `current_router` returns the present router (it changes when the supervisor restarts it). The client's actor calls
  /// it. `system`, and everything that the function uses, must live until `close`.
  client make(caf::actor_system& system, std::function<router_actor()> current_router, client_options options);
  /// Ends their sessions: requests under way, and later ones, fail with `unavailable`. Call it before the actor system
  /// ends, because that waits for the sessions. Takes at most a second.
  void close();

private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<session_outbox>> made_;
};

/// What the copies of a client share: the session, and for a client outside the node its own actor system.
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
