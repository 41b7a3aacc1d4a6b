#pragma once

#include "runtime/base/error.hpp"
#include "runtime/base/published.hpp"
#include "runtime/location/location_database.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon {

/// A network whose place an operator has named.
struct configured_network {
  ip_prefix network;
  std::string region;      // either this, the name of a region of the cluster,
  std::optional<place> at; // or this
};

/// Reads "10.20.0.0/16 = eu-central-1" or "192.0.2.0/24 = 50.11, 8.68" (latitude, longitude in degrees). Errors:
/// invalid_argument with a sentence that names `text`.
expected<configured_network> parse_configured_network(std::string_view text);

/// What a locator answers from.
struct location_config {
  std::vector<std::string> databases; // files, asked in this order until one knows the address
  std::vector<configured_network> networks;
  std::string own_region;
  place own_place;
};

/// How the place of a client is known.
enum class location_source {
  nothing,            // it is not
  configured_network, // `network` lies in one that the config names
  local_network,      // the address means nothing outside of a site: the client is in the node's own region
  database,           // an entry with coordinates
  country             // an entry with a country only: the place is the country's centre
};

/// Where a client is.
struct located {
  std::string region;      // the client is in this region of the cluster; may be empty
  std::optional<place> at; // nothing when the place is not known, or known only by the region's name
  std::string country;     // ISO 3166-1; may be empty
  std::string city;        // may be empty
  location_source source = location_source::nothing;
  size_t database = 0; // the number of the database that knew it
  ip_prefix network;   // every address in it has this same answer

  bool known() const {
    return at || !region.empty();
  }
};

/// Finds the place of client addresses. In this order: the configured network with the longest prefix; addresses that
/// mean nothing outside of a site (`is_local_address`), which are in the node's own region; the databases; unknown.
/// Thread-safe; readers wait for nobody.
class locator {
public:
  locator() = default; // knows nothing but local addresses
  /// Errors: those of `location_database::open`; invalid_argument when two places are given for one network.
  static expected<std::shared_ptr<locator>> make(location_config config);

  located find(const ip_address& address) const;
  /// How an answer of `find` is known: a sentence without its full stop.
  std::string explain(const located& answer) const;

  /// Reads the databases' files again. Readers see either the old or the new ones. Errors: as `make`; the old ones then
  /// stay in use, and the sentence says so.
  caf::error reload();
  /// The same with another config.
  caf::error reload(location_config config);

  /// What answers come from, such as "2 configured networks and DBIP-City of 2026-06-01 (IPv4, 63 MiB)".
  std::string describe() const;

private:
  struct state {
    location_config config; // networks: longest prefix first
    std::vector<std::shared_ptr<const location_database>> databases;
  };
  static expected<state> load(location_config config);
  static std::string describe(const state& known);
  static located find_in(const state& known, const ip_address& address);
  static located ask_databases(const state& known, const ip_address& address);

  published<state> state_;
  std::mutex reloading_;
};

/// True for an address that means nothing outside of a site or a machine: private (RFC 1918), loopback, link-local (RFC
/// 3927, RFC 4291), shared with a carrier (RFC 6598), unique local (RFC 4193), unspecified.
bool is_local_address(const ip_address& address);

} // namespace gnomon
