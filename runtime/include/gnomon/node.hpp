#pragma once

#include "gnomon/client.hpp"
#include "gnomon/error.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace caf {
class actor_system;
}

namespace gnomon {

/// A whole node inside this process: its store, its actors, its gateways. What `gnomond` runs.
///
///   auto node = gnomon::node::from_file("eu-central-1.toml");
///   node.start();
///   node.make_client().put("news/1", "hello");
///
/// Functions throw `failure`. Movable; destroying a running node stops it. Thread-safe once started.
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

  /// Opens the store, spawns the actors, listens. Returns when the node answers requests. Call it once. Errors:
  /// store_locked, store_failed, store_corrupt, bad_config for an address that cannot be listened on, rejected when the
  /// cluster refuses this node, timeout.
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

private:
  struct impl;
  explicit node(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

} // namespace gnomon
