#pragma once

#include "runtime/dns/responder.hpp"
#include "runtime/dns/sockets.hpp"

#include <thread>
#include <unordered_map>

namespace gnomon::dns {

struct tcp_config {
  size_t connections = 256;               // at once; then the one that is idle for longest makes room
  size_t connections_per_client = 32;     // from one address; a further one is closed at once
  std::chrono::milliseconds idle{10'000}; // from the last whole query, or the last answer that went out
};

/// All TCP connections (RFC 7766), in one thread. A client may send several queries without waiting; they are answered
/// in their order. One that does not read its answers is not read from. Also changes the cookies' secret from time to
/// time.
class tcp_worker {
public:
  tcp_worker(responder& answers, std::vector<descriptor> listeners, tcp_config config,
             std::chrono::seconds cookie_rotation);
  /// Closes all connections; waits for the thread, at most 250 ms.
  ~tcp_worker();
  tcp_worker(const tcp_worker&) = delete;
  tcp_worker& operator=(const tcp_worker&) = delete;

  const counters& counted() const {
    return counters_;
  }

private:
  using clock = std::chrono::steady_clock;
  struct connection {
    descriptor socket;
    sender from;
    std::vector<uint8_t> in;
    std::vector<uint8_t> out;
    size_t sent = 0; // of `out`
    clock::time_point active;
    uint32_t waits_for = 0; // epoll events
  };
  void serve();
  void handle(int socket, uint32_t events);
  void accept_all(int listener);
  bool may_stay(const ip_address& address);
  void admit(descriptor socket, const ip_address& address);
  bool receive(connection& from);
  bool answer_all(connection& from);
  std::optional<bool> answer_some(connection& from);
  bool flush(connection& to);
  void wait_for(connection& client, uint32_t events);
  void close_idle();

  responder& answers_;
  std::vector<descriptor> listeners_;
  tcp_config config_;
  std::chrono::seconds cookie_rotation_;
  descriptor epoll_;
  std::unordered_map<int, connection> connections_;
  std::vector<uint8_t> scratch_;
  counters counters_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

} // namespace gnomon::dns
