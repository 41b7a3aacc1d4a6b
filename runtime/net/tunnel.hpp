#pragma once

#include "actors/messages/messages.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/ip_address.hpp"
#include "runtime/tls/credentials.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gnomon {

/// Who may speak to a tunnel, and how. With credentials, TLS with certificates from both sides. Where the config says
/// `insecure`, plain TCP as well, on loopback and in private networks that are named. A node with both calls with TLS,
/// and in plain only when no TLS answers: so a cluster goes from the one to the other.
struct tunnel_security {
  credentials_ptr credentials; // null: no TLS
  bool insecure = true;
  std::vector<std::string> networks = {}; // private ones where plain TCP is allowed besides loopback
  std::vector<ip_prefix> proxies = {};    // who calls from there begins with a header of the PROXY protocol
};

struct tunnel_config {
  std::string listen = "127.0.0.1:0"; // host:port; port 0 takes a free one; empty: nobody can call
  tunnel_security security;
  std::string socket;   // the node's own CAF socket, where accepted connections end
  std::string caf_node; // this node's id as CAF writes it: what comes in is judged by a `basp_guard`; empty: not
  node_identity self;   // an empty `address` is filled in with where the tunnel listens
  uint32_t max_connections = 256;    // accepted ones that are through their greeting
  uint32_t max_shells = 128;         // of these, so that nodes find a place
  uint32_t max_handshakes = 256;     // accepted ones before that, of all addresses together
  uint32_t max_handshakes_each = 32; // and of one IPv4 address or one IPv6 /64
  duration handshake_timeout = std::chrono::seconds{2};
  duration failed_for = std::chrono::seconds{1}; // a handshake that failed counts as under way for so much longer
  size_t buffer_bytes = 4u << 20;                // of a connection that is delayed; over it, reading stops
  std::map<std::string, duration> delays;        // delay of bytes to that node: for demonstrations and tests
  /// Where shells may come: hears whose an id of CAF's is before the first message from there, and when its connection
  /// has ended. On the tunnel's thread. Empty: no shell may come.
  std::function<void(const std::string& caf_node, asker who)> shell_came = {};
  std::function<void(const std::string& caf_node)> shell_left = {};
};

/// The result of calling another node: its greeting and, when that is a welcome, a descriptor that leads to the other
/// node's CAF socket. The receiver of `fd` owns it.
struct dialed {
  greeting answer;
  int fd = -1;
};

/// Carries CAF's connections between nodes over TCP on its own thread. A caller must show a certificate for its name
/// (or come from where plain TCP is allowed) and identify itself within the handshake timeout. It reaches the node's
/// CAF socket only after `greeter` has welcomed it. All other connections are closed. A shell is welcome when its
/// certificate names it. All members are safe from any thread.
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

  /// Where it listens, with the real port; or what the config's identity said.
  const std::string& address() const;

  /// Calls the node that listens at `address`; `done` runs once, on the tunnel's thread, within `timeout`. Where nobody
  /// can call, the host may be a name in DNS, whose lookup takes as long as it takes.
  /// Errors: invalid_argument for an address that is not host:port or where plain TCP is not allowed, unavailable,
  /// timeout, bad_message.
  void dial(const std::string& address, duration timeout, dial_function done);

  /// Ends what was dialed to `address`: both ends see the connection close.
  void hang_up(const std::string& address);

  /// From now on this holds. Connections that it would not let in as they are (plain ones where only TLS is allowed
  /// now, and those of nodes whose authority is no longer trusted) move to new ones, which both ends do without losing
  /// a byte. Where the other side can do no better, they are closed. Errors: bad_config, when the address where it
  /// listens or one of the networks is not allowed; then nothing changes.
  caf::error secure(tunnel_security security);

  /// Counters since the start, by name, and when the certificates end, in seconds since 1970 (0: there are none).
  std::map<std::string, uint64_t> counts() const;

  /// Closes everything and joins the thread. Bounded, because nothing on the thread ever blocks. Open dials get
  /// `unavailable`.
  void stop();

private:
  class impl;
  explicit tunnel(std::shared_ptr<impl> self);
  std::shared_ptr<impl> impl_;
};

} // namespace gnomon
