#pragma once

#include "learning/economy/prices.hpp"
#include "runtime/base/error.hpp"
#include "runtime/replay/cluster.hpp"
#include "runtime/replay/synthetic.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon::replay {

/// What the command line asks for.
struct options {
  enum class command { run, load, geo_dns, help };
  command what = command::help;

  std::filesystem::path trace; // empty: the synthetic day
  uint64_t limit = 0;          // lines of the trace; 0: all
  synthetic_options synthetic;
  std::vector<std::string> locations; // databases that place readers by address
  std::string origin;                 // empty: the region with the most reads
  uint64_t value_bytes = 0;           // 0: made up for the synthetic day, 1,024 for another trace
  std::string prices;                 // file; empty: configs/prices.csv
  double usd_per_ms = learning::default_usd_per_ms;
  double time_scale = 0;      // 0: chosen
  std::filesystem::path json; // empty: none
  std::string report;         // empty: none
  bool quiet = false;

  // run
  std::filesystem::path bin;     // folder of gnomond; empty: beside this program
  std::filesystem::path configs; // empty: configs/five-regions, looked for near this program
  std::filesystem::path keep;    // empty: a temporary folder that goes in the end
  std::vector<std::string> settings;
  bool delays = true;
  bool tls = false;
  bool baseline = true;

  // load
  std::vector<target> targets;

  // geodns
  std::string zone = "g.example";
  std::string kill; // the region that dies in the end; empty: the origin
};

/// Errors: invalid_argument with a sentence that names the argument.
expected<options> parse_options(const std::vector<std::string>& arguments);

std::string_view help_text();

} // namespace gnomon::replay
