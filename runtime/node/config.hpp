#pragma once

#include "actors/node/settings.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/host_port.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gnomon {

/// All settings of a node's config file. `configs/default.toml` documents every key with unit and default.
struct node_config {
  // [cluster]
  std::string cluster = "gnomon";
  std::vector<std::string> seeds;             // host:port of other nodes' tunnels
  std::string certificate;                    // PEM files for TLS between nodes; all three or none
  std::string key;                            //
  std::string authorities;                    //
  host_port advertise;                        // where others reach this node's tunnel; empty: where it listens
  bool insecure = false;                      // plain TCP between nodes, on loopback only, and
  std::vector<std::string> insecure_networks; // in these private ones
  std::vector<std::string> cluster_proxies;   // networks whose connections begin with a header of the PROXY protocol

  // [node]
  std::string name;
  std::string region;
  double latitude = 0;
  double longitude = 0;
  bool has_place = false; // latitude and longitude were given
  std::string data_dir;
  uint32_t threads = 0; // of the actors' scheduler; 0: one for each core, and at least two
  duration stop_within = 10s;
  bool restored = false; // data_dir was set back in a way the node cannot see: a disk image, a file system snapshot

  // [listen]
  host_port tunnel{"127.0.0.1", 7101};
  host_port http{"127.0.0.1", 8101};    // empty: no HTTP
  std::vector<std::string> public_http; // where clients reach `http`; empty: at `http` itself
  host_port dns;                        // empty: no DNS
  std::string socket;                   // empty: DATA_DIR/gnomon.sock

  // [links.delay]: one way, by peer node name; for demonstrations and tests
  std::map<std::string, duration> link_delay;

  // [http]
  bool http_insecure = false;            // beyond loopback without TLS and tokens
  std::string http_certificate;          // PEM files for HTTPS; both or none
  std::string http_key;                  //
  std::string http_client_authorities;   // whose certificates clients may show; empty: they show none
  std::vector<std::string> http_clients; // "NAME = ROLE TYPE...", by the name in a client's certificate
  bool http_tokens = false;              // on loopback as well
  std::vector<std::string> http_origins; // of pages in browsers that may ask
  bool http_proxy_protocol = false;      // connections begin with its header,
  std::vector<std::string> http_proxies; // and come from these networks
  uint32_t http_threads = 0;             // 0: one for each core
  uint32_t http_connections = 4096;
  uint32_t http_connections_each = 2048; // of one IPv4 address or one IPv6 /64
  uint64_t http_buffered_bytes = 512u << 20;
  duration http_head_timeout = 10s;
  duration http_body_timeout = 10s;
  duration http_body_limit = 10min;
  duration http_idle_timeout = 60s;
  duration http_write_timeout = 10s;

  // [location]
  std::vector<std::string> location_databases; // MMDB files, asked in this order until one knows the address
  std::vector<std::string> location_networks;  // "NETWORK = REGION" or "NETWORK = LATITUDE, LONGITUDE"
  std::vector<std::string> location_proxies;   // networks whose word on who asked them counts

  // [dns]
  std::vector<std::string> dns_zones; // "NAME" or "NAME = FILE"
  uint32_t dns_threads = 0;           // 0: one for each core
  duration dns_ttl_min = 1s;
  duration dns_ttl_max = 60s;
  duration dns_negative_ttl = 10s;
  bool dns_explain = true;
  bool dns_https_records = true;
  uint32_t dns_answers_per_second = 500; // to each network of clients that may be forged; 0: no limit
  std::vector<std::string> dns_last_resort;

  // [economy]
  std::string price_file; // CSV, see configs/prices.csv; empty: the same prices everywhere

  // [log]
  std::string log_file; // empty: standard error
  std::string log_level = "info";

  // [clock], for replays
  double clock_scale = 1;
  int64_t clock_origin_ms = 0;

  // the rest goes to the actors as it is
  settings actors;

  /// Nobody without a token or a certificate may do anything over HTTP.
  bool authorizes_http() const;

  std::string socket_path() const {
    return socket.empty() ? data_dir + "/gnomon.sock" : socket;
  }
};

/// Reads `file` (none when empty), then applies `overrides` ("section.key=VALUE"; the last one wins), then calls
/// `check_config`. Errors: bad_config with one line that names file, line and key, and says what was wrong and what is
/// allowed.
expected<node_config> load_config(const std::string& file, const std::vector<std::string>& overrides);

/// Like `load_config` for text in memory; `origin` stands for the file in errors. Does not call `check_config`.
expected<node_config> parse_config(std::string_view text, const std::string& origin,
                                   const std::vector<std::string>& overrides = {});

/// Checks what one key alone cannot show: required keys, and the order between values. No error when all is well.
caf::error check_config(const node_config& config);

/// Every key, as "section.key" in the order of the documentation, with its value as TOML.
std::vector<std::pair<std::string, std::string>> config_text(const node_config& config);

/// The keys whose values differ between two configs: those that can change at run time (`second`), and those that
/// cannot (`first`).
std::pair<std::vector<std::string>, std::vector<std::string>> changed_keys(const node_config& before,
                                                                           const node_config& after);

} // namespace gnomon
