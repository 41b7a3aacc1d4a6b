#pragma once

#include "actors/messages/messages.hpp"
#include "runtime/base/error.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gnomon {

struct tunnel_config {
  std::string listen = "127.0.0.1:0";     // host:port; port 0 takes a free one
  bool insecure = true;                   // plain TCP, therefore only on loopback and
  std::vector<std::string> networks = {}; // in these private ones
  std::string socket;                     // the node's own CAF socket, where accepted connections end
  node_identity self;                     // an empty `address` is filled in with where the tunnel listens
  uint32_t max_connections = 256;         // accepted ones, before and after their greeting
  duration handshake_timeout = std::chrono::seconds{2};
  size_t buffer_bytes = 4u << 20;         // for each direction of a connection; over it, reading stops
  std::map<std::string, duration> delays; // delay of bytes to that node: for demonstrations and tests
};

/// The result of calling another node: its greeting and, when that is a welcome, a descriptor that leads to the other
/// node's CAF socket. The receiver of `fd` owns it.
struct dialed {
  greeting answer;
  int fd = -1;
};

/// Carries CAF's connections between nodes over TCP on its own thread. A caller must identify itself within the
/// handshake timeout, and reaches the node's CAF socket only after `greeter` has welcomed it. All other connections are
/// closed. All members are safe from any thread.
class tunnel {
public:
  using answer_function = std::function<void(greeting)>;
  /// Decides about a caller, on any thread. `answer` may be called later, once. Must not block.
  using greeter = std::function<void(node_identity caller, answer_function answer)>;
  using dial_function = std::function<void(expected<dialed>)>;

  /// Listens. Errors: bad_config naming the address, when it cannot be listened on, or when plain TCP is not allowed
  /// there.
  static expected<std::unique_ptr<tunnel>> start(tunnel_config config, greeter decide);

  /// As `stop`.
  ~tunnel();

  /// Where it listens, with the real port.
  const std::string& address() const;

  /// Calls the node that listens at `address`; `done` runs once, on the tunnel's thread, within `timeout`.
  /// Errors: invalid_argument for an address that is not host:port, unavailable, timeout, bad_message.
  void dial(const std::string& address, duration timeout, dial_function done);

  /// Ends what was dialed to `address`: both ends see the connection close.
  void hang_up(const std::string& address);

  /// Closes everything and joins the thread. Bounded, because nothing on the thread ever blocks. Open dials get
  /// `unavailable`.
  void stop();

private:
  class impl;
  explicit tunnel(std::shared_ptr<impl> self);
  std::shared_ptr<impl> impl_;
};

} // namespace gnomon
