#pragma once

#include "runtime/base/error.hpp"
#include "runtime/replay/event_loop.hpp"
#include "runtime/replay/http_client.hpp"
#include "runtime/replay/places.hpp"
#include "runtime/replay/process.hpp"
#include "runtime/replay/round_trips.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace gnomon::replay {

/// One region that takes reads: its name, its place if known, and where its HTTP API listens.
struct target {
  cluster_region region;
  api_address api;
};

struct cluster_options {
  std::filesystem::path gnomond;     // the program
  std::filesystem::path configs;     // a folder with one TOML file for each node, and round-trips.csv
  std::filesystem::path work;        // data directories and logs go here, one folder for each node
  double time_scale = 1;             // of the nodes' clocks
  bool delays = true;                // delay each link by half of the pair's round trip
  std::vector<std::string> settings; // further KEY=VALUE for every node
  std::string zone;                  // each node answers DNS for it; empty: none does
  bool tls = false;                  // between the nodes, with certificates made for the occasion in work/certs
};

/// A node as its config file describes it.
struct node_config {
  std::filesystem::path file;
  std::string name;
  cluster_region region;
};

/// The nodes of a folder of configs, sorted by region. Errors: not_found, bad_config.
expected<std::vector<node_config>> read_node_configs(const std::filesystem::path& folder);

/// The round trips in round-trips.csv of a folder of configs. Errors: bad_config.
expected<round_trips> distances_of(const std::filesystem::path& configs);

/// Where one node listens on 127.0.0.1.
struct node_ports {
  uint16_t http = 0;
  uint16_t tunnel = 0;
  uint16_t dns = 0; // over UDP and TCP
};

/// In a cluster with DNS, the network of the clients of the region with this number: "10.1.0.0" of a /16.
std::string clients_of(size_t region);

/// The command line of one node. Pure; `ports` has those of each node in the order of `nodes`.
std::vector<std::string> node_command(const cluster_options& options, const std::vector<node_config>& nodes,
                                      size_t index, const std::vector<node_ports>& ports, const round_trips& delays,
                                      int64_t clock_origin_ms);

/// The processes of one cluster on this machine, each with a fresh data directory and free ports. The destructor stops
/// them. Not thread-safe.
class local_cluster {
public:
  /// Starts all nodes and waits until each is ready, sees all others alive and has measured its distances. Errors:
  /// not_found, bad_config, unavailable (a node ended, with the last lines of its log; or interrupted), timeout.
  static expected<std::unique_ptr<local_cluster>> start(event_loop& loop, const cluster_options& options);
  ~local_cluster();

  const std::vector<target>& targets() const {
    return targets_;
  }
  /// The DNS servers, in the order of the targets; empty without a zone.
  const std::vector<host_port>& name_servers() const {
    return name_servers_;
  }
  /// Kills the node of the target with this number, as a crash would. `check` then speaks of an error.
  void kill(size_t number);
  /// An error with the log's last lines when a node has ended; none while all run.
  caf::error check();
  /// Asks all nodes to stop, waits up to 15 s, and kills those that are left. Safe to repeat.
  void stop();

private:
  explicit local_cluster(event_loop& loop) : loop_(loop) {}
  caf::error launch(const cluster_options& options);
  caf::error wait_until_ready();

  struct member {
    std::string region;
    std::filesystem::path log;
    std::unique_ptr<process> program;
  };
  event_loop& loop_;
  std::vector<member> members_;
  std::vector<target> targets_;
  std::vector<host_port> name_servers_;
};

/// How long the nodes may take to start and find each other.
inline constexpr std::chrono::seconds start_bound{60};

} // namespace gnomon::replay
