#pragma once

#include "runtime/dns/tcp_worker.hpp"
#include "runtime/dns/udp_worker.hpp"

#include <memory>

namespace gnomon::dns {

struct server_config {
  std::vector<host_port> listen{{"127.0.0.1", 5300}}; // addresses, each for UDP and TCP; port 0: any that is free
  size_t threads = 1;                                 // and UDP sockets, for each address
  tcp_config tcp;
  std::chrono::seconds cookie_rotation{86'400};
  responder_config answers;
};

/// An authoritative DNS server over UDP and TCP. Its threads read the directory and the published regions; nothing
/// waits for an actor. Directory and regions must outlive it.
class dns_server {
public:
  dns_server(server_config config, std::vector<zone> zones, const item_directory& items,
             const published<region_table>& regions, ranking rank);
  ~dns_server();

  /// Opens the sockets and starts the threads, after a stop when it runs already. Throws failure(bad_config or
  /// unavailable) when it cannot listen; then nothing runs.
  void start();
  /// Ends all threads, at most half a second later. May be called again.
  void stop();

  /// Where it listens, in the order of the config; empty unless started.
  std::vector<host_port> addresses() const;
  /// What all threads have counted since the start. Thread-safe between start and stop.
  counter_sums counted() const;

private:
  server_config config_;
  responder responder_;
  std::vector<host_port> addresses_;
  std::vector<std::unique_ptr<udp_worker>> udp_;
  std::unique_ptr<tcp_worker> tcp_;
};

} // namespace gnomon::dns
