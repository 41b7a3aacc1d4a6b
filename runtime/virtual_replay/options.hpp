#pragma once

#include "runtime/replay/synthetic.hpp"
#include "runtime/virtual_replay/scene.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gnomon::virtual_replay {

/// What the command line asks for.
struct options {
  std::string trace; // empty: the synthetic day
  replay::synthetic_options synthetic;
  std::string round_trips; // file; empty: configs/five-regions/round-trips.csv where it is found
  std::string prices;      // file; empty: configs/prices.csv
  double egress_usd_per_gb = -1, storage_usd_per_gb_month = -1; // the same everywhere; negative: from the file
  double storage_times = 1;
  uint64_t limit = 0;                // lines of the trace; 0: all
  std::vector<std::string> policies; // empty: those that are usual
  scene_options scene;
  std::string report; // file; empty: none
  bool json = false;
  bool help = false;
};

/// Errors: invalid_argument with a sentence that names the argument.
expected<options> parse_options(const std::vector<std::string>& arguments);

std::string help_text();

} // namespace gnomon::virtual_replay
