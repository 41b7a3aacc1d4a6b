#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/basp_broker.hpp>

#include <string>

/// CAF between processes, only through Unix sockets of mode 0600. No TCP port is ever opened for CAF itself, because
/// bytes from an unknown sender can kill a process that speaks its protocol.
namespace gnomon {

/// Loads CAF's middleman into `config` and sets it up for few, busy connections. Call before the actor system starts.
void load_middleman(caf::actor_system_config& config);

/// Publishes `whom` on a Unix socket at `path`, mode 0600. Replaces a socket that a dead process left there. Errors:
/// bad_config when the path is too long, cannot be bound, or another process listens on it. Thread-safe.
caf::error publish_on_socket(caf::actor_system& system, const caf::strong_actor_ptr& whom, const std::string& path);

/// Stops listening and removes the socket file. Existing connections stay.
void unpublish_socket(caf::actor_system& system, const std::string& path);

/// Connects to the Unix socket at `path`. Does not wait for the handshake. The caller owns the descriptor.
/// Errors: unavailable when nobody listens there.
expected<int> connect_to_socket(const std::string& path);

/// The broker that owns all connections. Ask it `begin_session(...)`, with a finite timeout.
caf::actor basp_broker_of(caf::actor_system& system);

/// The message that makes the broker speak CAF's protocol over `fd`, which it then owns. It answers (node_id,
/// strong_actor_ptr of the published actor, set<string>), or an error once the other end has closed.
caf::message begin_session(caf::actor_system& system, int fd);

} // namespace gnomon
