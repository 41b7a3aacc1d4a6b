#pragma once

#include "runtime/replay/options.hpp"
#include "runtime/replay/outage.hpp"
#include "runtime/replay/path_by_name.hpp"
#include "runtime/replay/report.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace gnomon::replay {

/// What a run by names came to, beside the run by regions.
struct geo_dns_report {
  run_facts facts;
  pass_report by_region;
  pass_report by_name;
  naming_figures naming;
  outage_report outage;

  /// Points by which the share of local answers by name exceeds that by region; negative when it falls behind.
  double difference() const {
    return (by_name.all.local_share - by_region.all.local_share) * 100;
  }
  bool good() const;
};

/// How many points both shares may be apart.
inline constexpr double tolerated_points = 2;

/// One page for a terminal.
std::string page(const geo_dns_report& report);

nlohmann::json figures_json(const geo_dns_report& report);

} // namespace gnomon::replay
