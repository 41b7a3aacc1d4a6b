#pragma once

#include "runtime/dns/responder.hpp"
#include "runtime/dns/sockets.hpp"

#include <thread>

namespace gnomon::dns {

/// One UDP socket and the thread that serves it, up to 64 datagrams at a time.
class udp_worker {
public:
  udp_worker(responder& answers, descriptor socket);
  /// Waits for the thread, at most 250 ms.
  ~udp_worker();
  udp_worker(const udp_worker&) = delete;
  udp_worker& operator=(const udp_worker&) = delete;

  /// Asks the thread to end, without waiting.
  void stop() {
    stopping_ = true;
  }
  const counters& counted() const {
    return counters_;
  }

private:
  struct batch;
  void serve();
  size_t answer_all(batch& in, size_t received);
  void send_all(batch& out, size_t count);

  responder& answers_;
  descriptor socket_;
  bool wildcard_;
  counters counters_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

} // namespace gnomon::dns
