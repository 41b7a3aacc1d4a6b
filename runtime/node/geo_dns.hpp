#pragma once

#include "actors/node/node_context.hpp"
#include "runtime/dns/server.hpp"
#include "runtime/location/region_ranking.hpp"
#include "runtime/node/config.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

namespace gnomon {

/// The zones that the config names, read from their files. Errors: bad_config with file, line and what is wrong.
expected<std::vector<dns::zone>> zones_of(const node_config& config);

/// A node's Geo-DNS: tells the DNS server who holds what, which regions are live, and in which order a client meets
/// them. The shards tell it of items; it looks at the cluster, its round trips and loads every 200 ms.
class geo_dns {
public:
  /// Must be made before the node's actors start, because it listens to the shards.
  geo_dns(context_ptr node, const node_config& config, std::vector<dns::zone> zones);
  ~geo_dns();
  geo_dns(const geo_dns&) = delete;
  geo_dns& operator=(const geo_dns&) = delete;

  /// Errors: bad_config or unavailable when it cannot listen.
  caf::error start();
  void stop();

  /// Where it listens; empty before `start`.
  std::vector<host_port> addresses() const;

private:
  dns::region_id number_of(const std::string& region);
  void note(const std::string& id, const std::vector<std::string>& nodes, uint32_t until);
  void forget_items();
  uint32_t on_the_wall(uint32_t until) const;
  std::map<std::string, uint64_t> counts() const;
  void publish();
  void watch();
  dns::ranked rank(const ip_prefix& client) const;
  dns::ranked find_order(const ip_prefix& client, const round_trip_estimate& distances, dns::region_set loaded) const;

  context_ptr node_;
  double clock_scale_; // of the clock that leases run on
  load_rule rule_;
  std::vector<std::string> last_resort_;
  dns::item_directory items_;
  memory_use::share memory_;
  published<dns::region_table> regions_;
  std::atomic<dns::region_set> loaded_{0}; // regions that clients near others are not sent to
  std::shared_mutex names_;                // of the two maps below
  std::map<std::string, dns::region_id> by_region_;
  std::map<std::string, dns::region_id> by_node_;
  std::unique_ptr<dns::dns_server> server_;
  std::mutex stopping_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread watcher_;
};

} // namespace gnomon
