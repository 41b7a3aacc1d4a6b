#pragma once

#include "gnomon/client.hpp"
#include "runtime/session.hpp"

#include <functional>
#include <memory>

namespace gnomon {

/// A client inside the node's process. `current_router` answers the router as it is now (it changes when the supervisor
/// restarts it), and is called from the client's actor. `system` and whatever the function uses must outlive the
/// client.
client make_local_client(caf::actor_system& system, std::function<router_actor()> current_router,
                         client_options options);

/// Where callers hand over their requests. Copies reach the same session. Thread-safe.
struct session_port {
  client_options options;
  std::shared_ptr<session_outbox> outbox = std::make_shared<session_outbox>();
  session_actor actor;

  /// False when the session has ended; `next` is then dropped.
  bool push(session_outbox::job next) const;
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
