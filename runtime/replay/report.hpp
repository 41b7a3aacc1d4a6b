#pragma once

#include "learning/economy/bill.hpp"
#include "runtime/replay/balances.hpp"
#include "runtime/replay/figures.hpp"
#include "runtime/replay/load.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace gnomon::replay {

/// The figures of one pass.
struct pass_report {
  latency_figures all;
  std::vector<std::pair<std::string, latency_figures>> by_region;
  double copies_per_item = 0; // mean over the time of the reads
  double copies_at_end = 0;
  learning::bill cost; // of all reads, at the prices of the plan
  uint64_t updates = 0;
  std::vector<item_balance> balances;  // of the items that were asked about
  std::vector<double> answered_bytes;  // by another region than the reader's: from * regions + to
  std::vector<double> local_over_time; // share in equal slices of the trace's time; NaN where nothing was answered
  uint64_t bytes_moved = 0;            // between regions, over the whole pass
  uint64_t bytes_moved_writing = 0;    // of these, before the first read
  uint64_t ahead = 0;                  // copies made ahead of their first read,
  uint64_t ahead_read = 0;             // and those of them that were read by the end
  double mean_lead_seconds = 0;        // in the trace's time
  double seconds = 0;
  double late_max_s = 0;
  uint64_t late_reads = 0;
  std::vector<std::string> failures; // the first few
};

/// A pass and what it is called: of "origin only", "everywhere" and "gnomon", those that were played.
struct named_pass {
  std::string title;
  pass_report report;
};

/// What the page says once for all passes.
struct run_facts {
  std::string source;
  uint64_t items = 0;
  uint64_t users = 0;
  std::string origin;
  double time_scale = 1;
  uint64_t value_bytes = 0; // 0: made up
  double usd_per_ms = 0;
  std::vector<std::string> notes;
};

pass_report sum_up(const load_plan& plan, const load_result& result);

/// One page for a terminal.
std::string page(const run_facts& facts, const std::vector<named_pass>& passes);

/// The same as JSON: reads, local_share, mean_ms, p50_ms, p95_ms, p99_ms, copies_per_item, bytes_moved, cost and more
/// of the last pass; the same keys of the others under origin_only and everywhere.
nlohmann::json figures_json(const run_facts& facts, const std::vector<named_pass>& passes);

/// "1,024 bytes", or what is made up.
std::string size_in_words(uint64_t value_bytes);

/// Prints the page on standard output, and writes the figures to the file `json`: empty for none, "-" for standard
/// output in place of the page. Errors: store_failed.
caf::error publish_figures(const std::filesystem::path& json, const std::string& page, const nlohmann::json& figures);

/// 1234567 as "1,234,567".
std::string grouped(uint64_t number);

} // namespace gnomon::replay
