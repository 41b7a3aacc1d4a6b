#pragma once

#include "learning/demand/demand_model.hpp"
#include "learning/history/trace_file.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace gnomon::learning {

/// A placement rule played over a trace. Every read makes or renews a copy in its region. The origin region keeps a
/// copy of every item. A trace has no sizes, so copies count alike.
struct placement_score {
  double local_percent = 0;           // reads answered in their own region
  double moved_per_100 = 0;           // copies sent to another region, per 100 reads
  double prefetched_per_100 = 0;      // those of them sent before any read
  double prefetched_read_percent = 0; // of the prefetched copies, those that were read
  double copies_per_item = 0;         // mean over time and all items of the trace
};

/// Prefetching wherever the estimate for the next 24 hours reaches the threshold.
struct demand_score {
  double threshold = 0;
  double precision = 0; // of the copies made ahead of a read, those that were read
  double coverage = 0;  // of the reads that were remote without prefetching, those that it made local
  placement_score placement;
};

struct demand_evaluation {
  placement_score on_demand;        // without prefetching
  std::vector<demand_score> guided; // by threshold: 0.1, 0.2, 0.3, 0.4, 0.5
  demand_score steered;             // with `prefetch_threshold`; `threshold` is its mean
  double ceiling_local_percent = 0; // all are local but an item's first read anywhere, where that is not at the origin
  demand_kind serves = demand_kind::formula;
  demand_contest contest; // which of the two kinds did better, at the end of the first part
  std::vector<calibration_table::row>
      calibration; // of "read there within 24 hours", for regions without a copy on demand
  uint64_t estimates = 0;
  double train_seconds = 0, estimate_us = 0; // per item and decision, all regions
};

struct demand_evaluation_config {
  demand_training_config training;
  std::string origin;      // region that always has a copy; "": the one with the most reads
  double confidence = 0.3; // of the steered threshold: what it never falls below,
  double waste = 0.5;      // and the share of the copies that may go unread
};

/// Trains on the first `split` of the trace and plays the rest. Errors as in `evaluate_trace`.
expected<demand_evaluation> evaluate_demand(const trace_file& trace, double split,
                                            const demand_evaluation_config& config,
                                            const training_listener& listener = {});
expected<demand_evaluation> evaluate_demand(const std::string& trace, double split,
                                            const demand_evaluation_config& config,
                                            const training_listener& listener = {});
nlohmann::json to_object(const demand_evaluation& e);
std::string to_json(const demand_evaluation& e);
std::string to_text(const demand_evaluation& e);

} // namespace gnomon::learning
