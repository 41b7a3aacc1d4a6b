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

  /// Hands `next` to the session. Throws `failure` (unavailable) when that has ended.
  void push(session_outbox::job next);

  caf::actor_system& system() {
    return *system_;
  }
  const client_options options;

private:
  struct own_system;
  void open(std::shared_ptr<session_transport> transport);

  std::unique_ptr<own_system> own_;
  caf::actor_system* system_ = nullptr;
  std::shared_ptr<session_outbox> outbox_ = std::make_shared<session_outbox>();
  session_actor session_;
};

} // namespace gnomon
