#include "runtime/gateway/http_stats.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

namespace gnomon::http {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// The only writer of the value is this thread: no locked instruction is needed.
void bump(std::atomic<uint64_t>& value, uint64_t by) {
  value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

ClientMetric sample(MetricType type, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  return metric;
}

MetricFamily single(std::string name, std::string help, MetricType type, uint64_t value) {
  return {std::move(name), std::move(help), type, {sample(type, static_cast<double>(value))}};
}

void add_dns(const node_context& node, std::vector<MetricFamily>& families) {
  if (!node.dns_counts)
    return;
  MetricFamily family{
      "gnomon_dns", "What Geo-DNS has counted since its start; items: that it knows now.", MetricType::Gauge, {}};
  for (const auto& [what, count] : node.dns_counts())
    family.metric.push_back(sample(MetricType::Gauge, static_cast<double>(count), {{"what", what}}));
  families.push_back(std::move(family));
}

void add_node(const node_context& node, std::vector<MetricFamily>& families) {
  const auto& n = node.counters;
  auto counter = [&](const char* name, const char* help, uint64_t value) {
    families.push_back(single(name, help, MetricType::Counter, value));
  };
  auto gauge = [&](const char* name, const char* help, uint64_t value) {
    families.push_back(single(name, help, MetricType::Gauge, value));
  };
  counter("gnomon_reads_local_total", "Reads answered from a copy held here.", n.reads_local);
  counter("gnomon_reads_remote_total", "Reads answered by another region.", n.reads_remote);
  counter("gnomon_reads_failed_total", "Reads that no region could answer.", n.reads_failed);
  counter("gnomon_reads_hedged_total", "Reads that asked a second region because the first took long.", n.reads_hedged);
  counter("gnomon_writes_total", "Writes acknowledged to clients.", n.writes);
  counter("gnomon_shadows_created_total", "Shadows that became copies here.", n.shadows_created);
  counter("gnomon_shadows_dropped_total", "Shadows whose lease ended here.", n.shadows_dropped);
  counter("gnomon_shadow_crashes_total", "Shadow actors that were restarted after an exception.", n.shadow_crashes);
  counter("gnomon_region_bytes_in_total", "Item bytes received from other regions.", n.bytes_in);
  counter("gnomon_region_bytes_out_total", "Item bytes sent to other regions.", n.bytes_out);
  counter("gnomon_store_syncs_total", "Synced batches written to the store.", n.store_syncs);
  counter("gnomon_store_writes_total", "Writes inside those batches.", n.store_writes);
  counter("gnomon_store_failures_total", "Writes that the store refused.", n.store_failures);
  counter("gnomon_store_losses_total", "Parts of the stores that were found damaged.", n.store_losses);
  gauge("gnomon_stores_full", "Stores that take no writes now.", n.stores_full);
  gauge("gnomon_start_records_read", "Records read since the node began to read its stores.", n.records_read);
  gauge("gnomon_start_shards_ready", "Slices of the catalog that are whole, of 64.", n.shards_ready);
  counter("gnomon_comparisons_total", "Rounds of anti-entropy that ran to their end.", n.comparisons);
  counter("gnomon_differences_total", "Copies that these rounds found to differ.", n.differences);
  counter("gnomon_comparison_bytes_total", "Bytes of hashes and contexts that these rounds sent.", n.comparison_bytes);
  counter("gnomon_reaped_total", "Tombstones that were reaped here.", n.reaped);
  gauge("gnomon_active_shadows", "Shadow actors alive now.", n.active_shadows);
  counter("gnomon_activations_refused_total", "Requests refused because too many items were in use at once.",
          n.activations_refused);
  counter("gnomon_requests_shed_total", "Requests of other nodes that were too old when their turn came.",
          n.requests_shed);
  counter("gnomon_reads_not_kept_total", "Reads from the read index that no item's own count took.", n.reads_not_kept);
  const auto& pace = node.pace;
  families.push_back({"gnomon_late_seconds",
                      "How late the node was last found to be with its own work.",
                      MetricType::Gauge,
                      {sample(MetricType::Gauge, static_cast<double>(pace.lateness().count()) / 1000)}});
  families.push_back(
      {"gnomon_load",
       "How loaded the node is, from 0 to 1; from 0.8 on, clients go to regions that are little further.",
       MetricType::Gauge,
       {sample(MetricType::Gauge, pace.load())}});
  gauge("gnomon_background_allowed", "Items that the background may have under way now.", pace.allowed());
  gauge("gnomon_background_under_way", "Items that the background has under way now.", pace.under_way());
  gauge("gnomon_background_waiting", "Items whose turn to be in use has not come yet.", pace.waiting());
  counter("gnomon_background_put_off_total", "Times that background work was put off so that clients come first.",
          pace.put_off());
  gauge("gnomon_items", "Items held here.", n.items);
  gauge("gnomon_leases", "Items held here as shadows.", n.leases);
  gauge("gnomon_tombstones", "Deleted items whose tombstones are still kept here.", n.tombstones);
  gauge("gnomon_item_bytes", "Bytes of the items held here.", n.bytes);
  gauge("gnomon_hints", "Updates noted on disk for peers that have not got them yet.", n.hints);
  gauge("gnomon_updates_refused", "Of those, updates that a peer cannot take: the log names item, peer and reason.",
        n.undelivered);
  counter("gnomon_copies_damaged_total", "Copies here that could not be read.", n.copies_damaged);
  counter("gnomon_copies_mended_total", "Of those, copies that were made anew from other regions.", n.copies_mended);
  counter("gnomon_writes_refused_total", "Writes that would have made too many versions of an item.", n.writes_refused);
  gauge("gnomon_index_entries", "Items in the read index.", node.index.size());
  gauge("gnomon_index_bytes", "Bytes in the read index.", node.index.bytes());
  gauge("gnomon_fresh", "1 while the node may answer from its copies without saying that they may be old.",
        node.is_fresh());
  counter("gnomon_reads_stale_total", "Reads answered here while the node was not fresh, and said so.", n.reads_stale);
  counter("gnomon_catch_ups_total", "Times that the node became fresh again after a start or a lapse.", n.catch_ups);
  auto lapsed = node.lapsed_at_ms.load();
  gauge("gnomon_catching_up_seconds", "How long the node has been catching up; 0: it is not.",
        lapsed > 0 ? static_cast<uint64_t>(node.steady_ms() - lapsed) / 1000 : 0);
  counter("gnomon_repair_checked_total", "Records that the repair has looked at.", n.repair_checked);
  counter("gnomon_repair_repaired_total", "Items to which the repair gave copies.", n.repair_repaired);
  counter("gnomon_repair_failed_total", "Repairs of an item that failed, to be tried again.", n.repair_failed);
  gauge("gnomon_repair_under_way", "Items that are being repaired now.", n.repair_under_way);
  gauge("gnomon_repair_active", "1 while a lost node's copies are made anew.", n.repair_active);
}

/// The items with several versions that have the most bytes.
void add_crowded(const node_context& node, std::vector<MetricFamily>& families) {
  constexpr size_t shown = 5;
  MetricFamily versions{"gnomon_crowded_item_versions",
                        "Versions that did not know of each other, of the items with the most bytes of such.",
                        MetricType::Gauge,
                        {}};
  MetricFamily bytes{"gnomon_crowded_item_bytes", "Bytes of these versions together.", MetricType::Gauge, {}};
  for (const auto& item : node.crowded.largest(shown)) {
    std::vector<ClientMetric::Label> labels{{"data_id", item.id}};
    versions.metric.push_back(sample(versions.type, static_cast<double>(item.versions), labels));
    bytes.metric.push_back(sample(bytes.type, static_cast<double>(item.bytes), std::move(labels)));
  }
  families.push_back(std::move(versions));
  families.push_back(std::move(bytes));
}

void add_prediction(const node_context& node, std::vector<MetricFamily>& families) {
  const auto& p = node.predicting;
  auto add = [&](const char* name, const char* help, MetricType type, double value) {
    families.push_back({name, help, type, {sample(type, value, {{"region", node.self.region}})}});
  };
  auto counter = [&](const char* name, const char* help, const std::atomic<uint64_t>& value) {
    add(name, help, MetricType::Counter, static_cast<double>(value.load()));
  };
  auto share = [](uint64_t a, uint64_t b) { return b > 0 ? static_cast<double>(a) / static_cast<double>(b) : 0.0; };
  counter("gnomon_learned_accesses_total", "Reads and writes that were learned from.", p.accesses);
  counter("gnomon_learning_skipped_total", "Reads that nothing was predicted after, because the node was busy.",
          p.skipped);
  counter("gnomon_predictions_total", "Predictions made.", p.predictions);
  counter("gnomon_prefetch_copies_total", "Copies made ahead of their first read.", p.issued);
  counter("gnomon_prefetch_refused_total", "Copies not made because of the budget.", p.refused);
  counter("gnomon_prefetch_used_total", "Copies made ahead that were read.", p.used);
  counter("gnomon_prefetch_wasted_total", "Copies made ahead whose lease ended unread.", p.wasted);
  counter("gnomon_prefetch_bytes_total", "Bytes of copies made ahead.", p.bytes);
  counter("gnomon_prefetch_wasted_bytes_total", "Bytes of those that ended unread.", p.wasted_bytes);
  const auto used = p.used.load();
  add("gnomon_prefetch_precision", "Of the copies made ahead whose outcome is known, the share that was read.",
      MetricType::Gauge, share(used, used + p.wasted.load()));
  add("gnomon_prefetch_coverage", "Of the reads that needed a copy from elsewhere, the share that found it here.",
      MetricType::Gauge, share(used, used + node.counters.reads_remote.load()));
  add("gnomon_prefetch_lead_seconds", "Mean time from a copy to its first read, on the node's clock.",
      MetricType::Gauge, share(p.lead_ms.load(), used) / 1000);
  add("gnomon_prefetch_threshold", "Confidence from which on a copy is made.", MetricType::Gauge, p.threshold.load());
  add("gnomon_calibration_error", "Mean distance between the confidence of copies and what came true.",
      MetricType::Gauge, p.calibration_error.load());
  const auto version = node.models.get()->version;
  add("gnomon_model_version",
      "Version of the trained models in service: when they were trained, in milliseconds; 0: none.", MetricType::Gauge,
      static_cast<double>(version));
  const auto now = static_cast<double>(node.time->now().time_since_epoch().count());
  add("gnomon_model_age_seconds", "Since the models in service were trained; 0: there are none.", MetricType::Gauge,
      version > 0 ? std::max(0.0, now - static_cast<double>(version)) / 1000 : 0);
  add("gnomon_inference_seconds", "Mean time of a prediction.", MetricType::Gauge,
      share(p.nanoseconds.load(), p.predictions.load()) / 1e9);
}

void add_peers(const node_context& node, std::vector<MetricFamily>& families) {
  MetricFamily rtt{"gnomon_peer_rtt_seconds", "Smoothed round trip to a peer.", MetricType::Gauge, {}};
  MetricFamily state{"gnomon_peer_state", "0 not heard of yet, 1 live, 2 suspect, 3 down.", MetricType::Gauge, {}};
  MetricFamily silent{
      "gnomon_peer_silent_seconds", "Since the last ping that a peer answered was sent.", MetricType::Gauge, {}};
  MetricFamily caught{"gnomon_peer_caught_up",
                      "1 when this node has all that the peer kept for it while it was away.",
                      MetricType::Gauge,
                      {}};
  auto now = node.steady_ms();
  auto view = node.cluster.get();
  for (const auto& peer : view->peers) {
    std::vector<ClientMetric::Label> labels{{"peer", peer.identity.node}, {"region", peer.identity.region}};
    state.metric.push_back(sample(state.type, static_cast<double>(peer.state), labels));
    caught.metric.push_back(sample(caught.type, peer.caught_up, labels));
    if (peer.answered_ms > 0)
      silent.metric.push_back(sample(silent.type, static_cast<double>(now - peer.answered_ms) / 1000, labels));
    if (peer.rtt_ms >= 0)
      rtt.metric.push_back(sample(rtt.type, peer.rtt_ms / 1000, std::move(labels)));
  }
  families.push_back(std::move(rtt));
  families.push_back(std::move(state));
  families.push_back(std::move(silent));
  families.push_back(std::move(caught));
}

struct totals {
  uint64_t count = 0;
  uint64_t nanoseconds = 0;
  std::array<uint64_t, http_stats::bounds.size()> buckets{};
};

totals sum(const std::vector<const http_stats*>& threads, endpoint where, size_t status_class) {
  totals all;
  for (const auto* thread : threads) {
    const auto& cell = thread->at(where, status_class);
    all.count += cell.count.load(std::memory_order_relaxed);
    all.nanoseconds += cell.nanoseconds.load(std::memory_order_relaxed);
    for (size_t i = 0; i < all.buckets.size(); ++i)
      all.buckets[i] += cell.buckets[i].load(std::memory_order_relaxed);
  }
  return all;
}

ClientMetric histogram(const totals& all, std::vector<ClientMetric::Label> labels) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.histogram.sample_count = all.count;
  metric.histogram.sample_sum = static_cast<double>(all.nanoseconds) / 1e9;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < all.buckets.size(); ++i)
    metric.histogram.bucket.push_back({cumulative += all.buckets[i], http_stats::bounds[i]});
  metric.histogram.bucket.push_back({all.count, std::numeric_limits<double>::infinity()});
  return metric;
}

void add_http(const std::vector<const http_stats*>& threads, size_t connections, std::vector<MetricFamily>& families) {
  MetricFamily requests{
      "gnomon_http_requests_total", "Requests by route and class of status.", MetricType::Counter, {}};
  MetricFamily seconds{
      "gnomon_http_request_seconds", "From the complete head of a request to its answer.", MetricType::Histogram, {}};
  for (size_t i = 0; i <= static_cast<size_t>(endpoint::unknown); ++i)
    for (size_t k = 1; k < http_stats::classes; ++k) {
      auto where = static_cast<endpoint>(i);
      auto all = sum(threads, where, k);
      if (all.count == 0)
        continue;
      std::vector<ClientMetric::Label> labels{{"route", std::string{pattern_of(where)}},
                                              {"status", std::to_string(k) + "xx"}};
      requests.metric.push_back(sample(requests.type, static_cast<double>(all.count), labels));
      seconds.metric.push_back(histogram(all, std::move(labels)));
    }
  families.push_back(std::move(requests));
  families.push_back(std::move(seconds));
  families.push_back(single("gnomon_http_connections", "Open connections.", MetricType::Gauge, connections));
}

} // namespace

void http_stats::record(endpoint where, int status, std::chrono::nanoseconds took) {
  auto digit = static_cast<size_t>(std::clamp(status / 100, 1, 5));
  auto& cell = cells_[static_cast<size_t>(where)][digit];
  bump(cell.count, 1);
  bump(cell.nanoseconds, static_cast<uint64_t>(took.count()));
  auto seconds = static_cast<double>(took.count()) / 1e9;
  auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  if (static_cast<size_t>(bucket) < bounds.size())
    bump(cell.buckets[static_cast<size_t>(bucket)], 1);
}

std::string metrics_page(const node_context& node, const std::vector<const http_stats*>& threads, size_t connections) {
  std::vector<MetricFamily> families;
  add_node(node, families);
  add_dns(node, families);
  if (node.config.predict)
    add_prediction(node, families);
  add_crowded(node, families);
  add_peers(node, families);
  add_http(threads, connections, families);
  return prometheus::TextSerializer{}.Serialize(families);
}

} // namespace gnomon::http
