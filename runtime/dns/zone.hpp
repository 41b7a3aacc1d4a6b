#pragma once

#include "runtime/dns/name.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gnomon::dns {

/// The records of one name and type from a zone file.
struct record_set {
  uint16_t type = 0;
  uint32_t ttl = 0;                // seconds
  std::vector<std::string> values; // their data as on the wire, uncompressed
};

/// One zone: its name, and the part of it that a file holds. The rest, items and regions, is answered from what the
/// node knows. Immutable once read.
class zone {
public:
  zone(zone&&) = default;
  zone& operator=(zone&&) = default;

  /// The names of the file and those above them inside the zone, which exist although they have no records (RFC 8020).
  using records = std::vector<record_set>;

  const wire_name& name() const {
    return name_;
  }
  /// The records of a name in lower case; null when the zone file knows neither it nor a name below it.
  const records* find(std::string_view name) const;
  const record_set& soa() const {
    return *soa_;
  }
  /// The TTL of negative answers in seconds: the smaller of the SOA's own and its minimum (RFC 2308, section 5).
  uint32_t negative_ttl() const {
    return negative_ttl_;
  }

private:
  friend zone read_zone(std::string_view, const std::string&);
  struct text_hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  zone() = default;
  wire_name name_;
  std::unordered_map<wire_name, records, text_hash, std::equal_to<>> names_;
  const record_set* soa_ = nullptr;
  uint32_t negative_ttl_ = 0;
};

/// Reads a zone from the text of a master file (RFC 1035, section 5) with ldns. `name` is its origin. Throws
/// failure(bad_config) with the line and what is wrong with it: besides syntax, a name outside the zone, a missing SOA
/// or NS of the zone, a wildcard, a delegation, a type that needs signing or special handling (DNAME, DNSSEC's), a
/// CNAME beside other records, and what the node answers itself: A, AAAA, SVCB and HTTPS at the zone's own name, and
/// names that look like an item's label.
zone read_zone(std::string_view name, const std::string& text);

/// The same from a file; throws failure(bad_config) as well when it cannot be read.
zone read_zone_file(std::string_view name, const std::string& path);

/// The text of a zone that needs no file: SOA, and the first few of these regions' hosts as name servers.
std::string plain_zone_text(std::string_view name, const std::vector<std::string>& regions);

} // namespace gnomon::dns
