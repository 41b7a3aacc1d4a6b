#pragma once

#include "runtime/base/error.hpp"
#include "runtime/replay/event_loop.hpp"
#include "runtime/replay/http_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The few questions that a replay asks a running cluster, beside its reads and writes.
namespace gnomon::replay {

/// What one node says about itself and the others at `GET /cluster`.
struct node_view {
  std::string name;
  uint64_t live_nodes = 0; // itself included
  uint64_t items = 0;      // copies that it holds
};

/// What a cluster holds and has moved, summed over its nodes.
struct cluster_totals {
  uint64_t copies = 0;                // items held
  std::vector<uint64_t> sent_by_node; // bytes of items, to other regions since the nodes started
  uint64_t bytes_moved = 0;           // the sum of these
  uint64_t ahead = 0;                 // copies made ahead of their first read
  uint64_t ahead_read = 0;            // of these, those that were read
  double lead_seconds = 0;            // from such a copy to its first read, all together, on the nodes' clock
};

/// The sum of all samples of one metric in Prometheus' text format, with any labels; 0 when it is not there.
double metric_sum(std::string_view text, std::string_view name);

/// What one node holds.
struct held {
  double items = 0;
  double bytes = 0;
};
/// From a node's answer to /metrics.
held held_in(std::string_view metrics);

/// Errors: bad_message when this is not the answer of `GET /cluster`.
expected<node_view> parse_cluster(const std::string& json);

/// One GET that waits for its answer. Errors: as http_client, and bad_message for a status other than 200.
expected<std::string> get_text(event_loop& loop, const api_address& api, std::string target);

/// Asks every node for /cluster and /metrics. Errors: those of the first question that fails.
expected<cluster_totals> ask_totals(event_loop& loop, const std::vector<api_address>& nodes);

} // namespace gnomon::replay
