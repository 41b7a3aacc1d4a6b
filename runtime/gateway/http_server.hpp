#pragma once

#include "actors/node/node_context.hpp"
#include "runtime/access/role.hpp"
#include "runtime/base/ip_address.hpp"
#include "runtime/tls/credentials.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gnomon {

/// Who may ask over HTTP, and how their bytes travel: what can change while the server runs.
struct http_security {
  credentials_ptr credentials; // null: plain HTTP
  bool authorize = false;      // only who shows a token or a certificate may do more than ask whether the node is well
  std::map<std::string, grant_ptr, std::less<>> clients; // by the name in their certificate
  std::vector<std::string> origins;                      // of pages in browsers that may ask (CORS); "*": all
  bool proxy_protocol = false;                           // each connection begins by saying whose it is,
  std::vector<ip_prefix> proxies;                        // and comes from one of these
};

/// Where the HTTP server listens, and what it allows clients. Every wait has its bound here.
struct http_config {
  std::string host = "127.0.0.1";        // an address of this machine, IPv4 or IPv6
  uint16_t port = 8101;                  // 0: one that is free
  uint32_t threads = 0;                  // 0: one for each core
  uint32_t max_connections = 4096;       // more are answered 503 and closed
  uint32_t max_connections_each = 2048;  // of one IPv4 address or one IPv6 /64, but for these:
  std::vector<ip_prefix> proxies = {};   // that speak for many clients
  uint64_t max_header_bytes = 16u << 10; // request line and fields together
  uint64_t max_body_bytes = max_value_bytes;
  uint64_t max_buffered_bytes = 512u << 20; // request bodies under way, all connections together
  duration head_timeout = 10s;              // from the first byte of a request to the end of its head
  duration body_timeout = 10s;              // without any further byte of a body
  duration body_limit = 10min;              // from the end of the head to the end of the body
  duration idle_timeout = 60s;              // between two requests of a connection
  duration write_timeout = 10s;             // without the client taking any byte
  duration drain_timeout = 5s;              // for requests under way when the server stops
  http_security security;
  /// What the tunnel counts, for /metrics: `tunnel::counts`. Thread-safe; empty: there is no tunnel.
  std::function<std::map<std::string, uint64_t>()> tunnel_counts;
};

/// Serves the HTTP API of one node. Owns its threads, its sockets and, under a supervisor, the gateway actor, which
/// passes requests to the router. Reads that the node's index can answer never leave the thread that parsed them. Its
/// member functions are for one thread, which must not be a thread of the actor system, because `stop` waits.
class http_server {
public:
  /// `node` and `system` must outlive the server. Nothing happens before `start`.
  http_server(context_ptr node, caf::actor_system& system, http_config config);
  /// Stops, if that has not been done.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Listens and serves; returns the port. Errors: bad_config for an address that cannot be listened on, timeout when
  /// the gateway does not start.
  expected<uint16_t> start();

  /// Accepts no more, lets requests under way finish within `drain_timeout`, then ends its threads and its actor.
  void stop();

  /// Holds for new connections and for the next request of the others.
  void secure(http_security now);

  /// The gateway that requests go through now; null while none runs. When it fails, another one follows.
  gateway_actor gateway() const;

private:
  struct implementation;
  std::unique_ptr<implementation> self_;
};

} // namespace gnomon
