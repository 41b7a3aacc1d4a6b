#pragma once

#include "gnomon/abi.hpp"
#include "gnomon/client.hpp"
#include "gnomon/error.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace caf {
class actor_system;
class actor_system_config;
} // namespace caf

namespace gnomon::inline GNOMON_ABI {

namespace detail {
struct node_access;
}

/// One line of a node's log.
struct log_line {
  std::string level; // "debug", "info", "warn" or "error"
  std::string text;  // component, event, and key=value pairs; no control characters
};

/// A whole node inside this process: its store, its actors, its gateways. What `gnomond` runs.
///
///   auto node = gnomon::node::from_file("eu-central-1.toml");
///   node.start();
///   node.make_client().put("news/1", "hello");
///
/// A node runs once: made, started, stopped. Several nodes may run in one process, each with its own log and metrics.
/// Its log goes to `log.file`, or to `log_to`. Without either it goes nowhere, and never to the program's streams.
///
/// Functions throw `failure`. A call that does not fit, such as a second `start`, throws precondition_failed, and
/// changes nothing. Movable; destroying a running node stops it. Thread-safe once started.
class node {
public:
  /// Reads and checks a configuration; nothing is opened yet. `settings` override the file, each "section.key=VALUE".
  /// Errors: bad_config names the key and says what is wrong with it.
  static node from_file(const std::filesystem::path& file, const std::vector<std::string>& settings = {});
  /// Relative paths in `toml` count from the current directory.
  static node from_text(std::string_view toml);

  node(node&&) noexcept;
  node& operator=(node&&) noexcept;
  ~node();

  /// Before `start`. `write` gets each line of at least the config's `log.level`, one after the other, from any thread.
  /// It must neither throw nor wait for the node.
  void log_to(std::function<void(const log_line&)> write);

  /// Before `start`. `change` gets the actor system's config: it registers the application's own message types.
  ///
  ///   node.prepare([](auto& config) { config.template add_message_types<caf::id_block::my_app>(); });
  void prepare(std::function<void(caf::actor_system_config&)> change);

  /// Opens the store, spawns the actors, listens. Returns when the node answers requests. After a failure make a new
  /// node to try again. Errors: store_locked, store_failed, store_corrupt, bad_config for an address that cannot be
  /// listened on or a log that cannot be opened, rejected when the cluster refuses this node, timeout.
  void start();

  /// Drains and stops within the bound of the config (`node.stop_within`). Does nothing when the node is not running.
  void stop();

  /// Returns when the node has stopped for any reason, or when `bound` is over. True when it has stopped.
  bool wait(std::chrono::milliseconds bound);

  bool running() const;
  const std::string& name() const;
  const std::string& region() const;

  /// Where HTTP is served, as "host:port" with the real port. Empty when HTTP is off or the node is not started.
  std::string http_address() const;
  std::string dns_address() const; // host:port, empty when DNS is off
  /// Where other nodes connect, in the same form.
  std::string tunnel_address() const;
  /// The Unix socket through which clients of this machine reach the node.
  std::filesystem::path socket() const;

  /// Reads again what can change at run time (log level), and opens log files again. Errors: bad_config; then nothing
  /// has changed.
  void reload();

  /// The node's actor system, where an app may spawn its own actors. They should end before the node stops, because the
  /// node waits for them within its bound. Valid from start to stop.
  caf::actor_system& system();

  /// A client that reaches the node's actors inside the process. After the node has stopped, its requests fail with
  /// `unavailable`.
  client make_client(client_options options = {});

  /// The client behind the node's handles in `gnomon/actors.hpp`.
  client& own_client();

private:
  friend struct detail::node_access;
  struct impl;
  explicit node(std::unique_ptr<impl> state);
  impl& state() const;
  std::unique_ptr<impl> impl_;
};

} // namespace gnomon::inline GNOMON_ABI
