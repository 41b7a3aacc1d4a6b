#pragma once

#include "gnomon/client.hpp"
#include "runtime/client/front.hpp"
#include "runtime/client/session.hpp"

#include <atomic>
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

/// Asks the node who has published an actor under that name.
later<found_actor> find_actor_later(const session_port& port, const std::string& name);

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
  std::vector<std::weak_ptr<client::core>> made_;
};

/// What the copies of a client share: the session, and for a client outside the node its own actor system.
class client::core : public std::enable_shared_from_this<client::core> {
public:
  /// Inside the node.
  core(caf::actor_system& system, std::shared_ptr<session_transport> transport, client_options options);
  /// Outside: with its own actor system.
  core(std::shared_ptr<session_transport> transport, client_options options);
  ~core();
  core(const core&) = delete;
  core& operator=(const core&) = delete;

  const session_port& port() const {
    return port_;
  }
  /// Throws `failure` (unavailable) once the node around has stopped.
  caf::actor_system& system() const;
  /// The actor behind the handles; made when it is first asked for.
  front_actor front();
  /// Requests under way, and later ones, fail. Returns at once.
  void close();
  bool wait_closed(std::chrono::milliseconds bound);

private:
  struct own_system;
  void open(std::shared_ptr<session_transport> transport);

  std::unique_ptr<own_system> own_;
  std::atomic<caf::actor_system*> system_{nullptr}; // null: it may have ended
  session_port port_;
  std::mutex mutex_; // of `front_`
  front_actor front_;
};

} // namespace gnomon
