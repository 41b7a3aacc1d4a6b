#pragma once

#include "actors/node/node_context.hpp"
#include "runtime/net/tunnel.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace gnomon {

/// A node's connection to the others: the gate on its CAF socket, the tunnel in front of it, the dialer for membership.
///
///   auto net = network::start(system, node, config);     // before membership, which needs the dialer
///   membership_config{.seeds = seeds, .dialer = (*net)->dialer()}
///
/// Until membership is published in `node->handles`, callers are told `busy`. Members are safe from any thread.
class network {
public:
  /// `node` sets `config.self`. Errors: as `publish_on_socket` and `tunnel::start`. `system` must outlive it.
  static expected<std::unique_ptr<network>> start(caf::actor_system& system, context_ptr node, tunnel_config config);
  ~network();
  const std::string& address() const;
  dialer_actor dialer() const;
  /// As `tunnel::secure` and `tunnel::counts`.
  caf::error secure(tunnel_security security);
  std::map<std::string, uint64_t> counts() const;
  /// Calls `tell`, on any thread, when gate or dialer ends by itself. Without them no node can be reached in either
  /// direction. Neither can have a successor, because other actors hold their handles.
  void when_failed(const std::function<void(std::string_view part)>& tell) const;
  /// Closes all connections and the socket, ends gate and dialer. Bounded.
  void stop();

private:
  network(caf::actor_system& system, std::string socket);
  caf::actor_system& system_;
  std::string socket_;
  std::shared_ptr<tunnel> tunnel_;
  gate_actor gate_;
  dialer_actor dialer_;
};

} // namespace gnomon
