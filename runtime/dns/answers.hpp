#pragma once

#include "runtime/dns/edns.hpp"
#include "runtime/dns/item_directory.hpp"
#include "runtime/dns/query.hpp"
#include "runtime/dns/writer.hpp"
#include "runtime/dns/zone.hpp"

namespace gnomon::dns {

struct answer_config {
  uint32_t ttl_min_seconds = 1;       // of what depends on regions and items
  uint32_t ttl_max_seconds = 60;      // the detector's bound lies between the two
  uint32_t negative_ttl_seconds = 10; // at most; a zone's SOA may say less
  bool explain = true;                // TXT records that say why
  bool https_records = true;          // off: browsers do not try TLS at the regions' ports
};

/// What the answers of one moment are made from.
struct snapshot {
  std::shared_ptr<const region_table> table;
  region_set all = 0;
  region_set live = 0;
  region_set last_resort = 0;
  uint32_t now = 0;    // seconds since 1970
  uint64_t now_us = 0; // of a clock that never runs backwards

  static snapshot of(std::shared_ptr<const region_table> table, uint32_t now, uint64_t now_us);
};

/// What a name in one of our zones stands for.
struct target {
  enum class kind : uint8_t { none, service, service_why, item, region, plain };
  const zone* in = nullptr; // null: the name lies in no zone of ours
  size_t zone_label = 0;    // with which label of the question the zone's name begins
  kind what = kind::none;
  holding where;                          // of an item
  region_id at = 0;                       // of a region
  const zone::records* written = nullptr; // what the zone file says of the name
  bool unknown_item = false;              // a label that nobody is known to hold

  bool exists() const {
    return what != kind::none;
  }
};

target find_target(const query& asked, const std::vector<zone>& zones, const item_directory& items,
                   const snapshot& now);

/// Regions to be named, the best first.
struct choice {
  region_order order;
  bool last_resort = false; // none of them is live
  bool passed_over = false; // a live region that is nearer to the client does not hold the item
};

/// Puts those that may be named into the client's order: live holders. When no holder is live, an item's answer are its
/// holders all the same, and the service's those of the last resort: others could be regions that a rule forbids the
/// item.
choice choose(const target& what, const region_order& nearest_first, const snapshot& now);

/// Seconds for which a resolver may keep the answer: the detector's bound, less when a copy's lease ends before, within
/// the config's bounds. The lower bound for a last resort, and where a nearer region was passed over: a read leaves a
/// copy there, so it will soon be the answer.
uint32_t ttl_of(const target& what, const choice& chosen, const snapshot& now, const answer_config& config);

/// Writes the records of one answer behind the question, with owner names that point to it.
class record_writer {
public:
  record_writer(writer& out, const query& asked, const target& what) : out_(out), asked_(asked), what_(what) {}

  /// A or AAAA: all addresses of that kind of the first region that has one. How many records.
  uint16_t addresses(const choice& chosen, const snapshot& now, uint16_t qtype, uint32_t ttl);
  /// SVCB or HTTPS (RFC 9460): the first three regions, with priorities 1 to 3, their hosts, ports and, with `hints`,
  /// addresses.
  uint16_t services(const choice& chosen, const snapshot& now, uint16_t qtype, uint32_t ttl, bool hints);
  /// TXT: for whom, which regions, in which order.
  uint16_t explanation(const choice& chosen, const snapshot& now, const ip_prefix& client, bool by_subnet,
                       uint32_t ttl);
  /// What the zone file has of this type.
  uint16_t written(const record_set& records);
  /// The minimal answer to ANY (RFC 8482, section 4.2).
  uint16_t minimal_any(uint32_t ttl);
  /// The SOA for the authority section of a negative answer.
  uint16_t negative_soa(uint32_t most_seconds);

private:
  void head(uint16_t qtype, uint32_t ttl, size_t label);
  void data(uint16_t qtype, std::string_view value);
  void name_in_zone(std::string_view name);
  void service(uint16_t priority, const region& where, bool hints);
  void text(std::string_view one);

  writer& out_;
  const query& asked_;
  const target& what_;
};

} // namespace gnomon::dns
