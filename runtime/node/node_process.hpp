#pragma once

#include "runtime/client/system_config.hpp"
#include "runtime/node/config.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <string>

namespace gnomon {

struct node_context;
using context_ptr = std::shared_ptr<node_context>;

/// A running node: opens its stores, spawns its actors, and connects them to network and HTTP. Members are for one
/// thread, which must not be a thread of the actor system, unless their comment says otherwise.
class node_process {
public:
  explicit node_process(node_config config);
  /// Stops, if that has not been done, then ends the actor system.
  ~node_process();
  node_process(const node_process&) = delete;
  node_process& operator=(const node_process&) = delete;

  /// Before `start`: what else the actor system's config needs.
  void prepare(system_preparation with);
  /// Opens the stores, spawns the actors, joins the cluster, listens. The lines of its threads go where those of this
  /// thread go. Returns once requests are answered. When it
  /// fails, everything is closed again. Errors: store_locked, store_failed, store_corrupt, bad_config (an address that
  /// cannot be listened on), rejected (the cluster refuses this node), timeout. Each says in one sentence what to do.
  caf::error start();

  /// Lets requests under way end, stops all actors and closes everything. Takes no longer than `stop_within`, except
  /// for threads that the operating system holds in a disk access. Does nothing when it is not running.
  void stop();

  /// False before `start`, after `stop`, and once the root supervisor gave up. Thread-safe.
  bool running() const;
  /// Waits until it no longer runs. False when `bound` passes first. Thread-safe.
  bool wait(duration bound) const;

  const node_config& config() const;
  std::string http_address() const; // host:port, empty when HTTP is off
  std::string tunnel_address() const;
  std::vector<host_port> dns_addresses() const; // empty when DNS is off
  /// Reads the certificates again, and lets in from now on whom `after` says in [cluster] and [http]. Errors:
  /// bad_config, as `security_of` and `http_security_of`; then nothing changes.
  caf::error secure(const node_config& after);
  /// Takes over what `after` says in [location], and reads the databases' files again. Errors: as
  /// `locator::reload`; the databases that are in use stay then.
  caf::error relocate(const node_config& after);
  /// Valid from start to destruction.
  caf::actor_system& system();
  const context_ptr& context() const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace gnomon
