#include "runtime/gateway/metrics.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

double share(uint64_t part, uint64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void add_requests(const node_context& node, metric_page& page) {
  const auto& n = node.counters;
  page.counter("gnomon_reads_local_total", "Reads answered from a copy held here.", n.reads_local);
  page.counter("gnomon_reads_remote_total", "Reads answered by another region.", n.reads_remote);
  page.counter("gnomon_reads_failed_total", "Reads that no region could answer.", n.reads_failed);
  page.counter("gnomon_reads_absent_total", "Reads of ids that nobody was known to hold, answered without asking.",
               n.reads_absent);
  page.counter("gnomon_reads_hedged_total", "Reads that asked a second region because the first took long.",
               n.reads_hedged);
  page.counter("gnomon_reads_stale_total", "Reads answered here while the node was not fresh, and said so.",
               n.reads_stale);
  page.counter("gnomon_reads_not_kept_total", "Reads from the read index that no item's own count took.",
               n.reads_not_kept);
  page.counter("gnomon_writes_total", "Writes acknowledged to clients.", n.writes);
  page.counter("gnomon_changes_told_total", "Changes of items that followers at this node were told.", n.changes_told);
  page.counter("gnomon_changes_missed_total", "Changes of items that were told by a later one alone.",
               n.changes_missed);
  page.counter("gnomon_writes_refused_total", "Writes that would have made too many versions of an item.",
               n.writes_refused);
  page.counter("gnomon_requests_shed_total", "Requests of other nodes that were too old when their turn came.",
               n.requests_shed);
  page.counter("gnomon_region_bytes_in_total", "Item bytes received from other regions.", n.bytes_in);
  page.counter("gnomon_region_bytes_out_total", "Item bytes sent to other regions.", n.bytes_out);
}

void add_items(const node_context& node, metric_page& page) {
  const auto& n = node.counters;
  page.gauge("gnomon_items", "Items held here.", n.items);
  page.gauge("gnomon_shadows", "Items held here as shadows.", n.shadows);
  page.gauge("gnomon_tombstones", "Deleted items whose tombstones are still kept here.", n.tombstones);
  page.gauge("gnomon_item_bytes", "Bytes of the items held here.", n.bytes);
  page.gauge("gnomon_hints", "Updates noted on disk for peers that have not got them yet.", n.hints);
  page.gauge("gnomon_updates_refused",
             "Of those, updates that a peer cannot take: the log names item, peer and reason.", n.undelivered);
  page.counter("gnomon_copies_damaged_total", "Copies here that could not be read.", n.copies_damaged);
  page.counter("gnomon_copies_mended_total", "Of those, copies that were made anew from other regions.",
               n.copies_mended);
  page.counter("gnomon_reaped_total", "Tombstones that were reaped here.", n.reaped);
  page.gauge("gnomon_index_entries", "Items in the read index.", node.index.size());
  page.gauge("gnomon_index_bytes", "Bytes in the read index.", node.index.bytes());
}

void add_shadows(const node_context& node, metric_page& page) {
  const auto& n = node.counters;
  page.counter("gnomon_shadows_created_total", "Shadows that became copies here.", n.shadows_created);
  page.counter("gnomon_shadows_dropped_total", "Shadows whose lease ended here.", n.shadows_dropped);
  page.counter("gnomon_shadow_crashes_total", "Shadow actors that were restarted after an exception.",
               n.shadow_crashes);
  page.gauge("gnomon_active_shadows", "Shadow actors alive now.", n.active_shadows);
  page.counter("gnomon_activations_refused_total", "Requests refused because too many items were in use at once.",
               n.activations_refused);
}

void add_stores(const node_context& node, metric_page& page) {
  const auto& n = node.counters;
  page.counter("gnomon_store_syncs_total", "Synced batches written to the store.", n.store_syncs);
  page.counter("gnomon_store_writes_total", "Writes inside those batches.", n.store_writes);
  page.counter("gnomon_store_failures_total", "Writes that the store refused.", n.store_failures);
  page.counter("gnomon_store_losses_total", "Parts of the stores that were found damaged.", n.store_losses);
  page.gauge("gnomon_stores_full", "Stores that take no writes now.", n.stores_full);
  page.counter("gnomon_shadows_refused_total", "Shadows not made because of store.max_bytes.", n.shadows_refused);
  page.counter("gnomon_shadows_evicted_total", "Shadows that made room because of store.max_bytes.", n.shadows_evicted);
  page.gauge("gnomon_start_records_read", "Records read since the node began to read its stores.", n.records_read);
  page.gauge("gnomon_start_shards_ready", "Slices of the catalog that are whole, of 64.", n.shards_ready);
}

void add_background(const node_context& node, metric_page& page) {
  const auto& pace = node.pace;
  page.gauge("gnomon_late_seconds", "How late the node was last found to be with its own work.",
             static_cast<double>(pace.lateness().count()) / 1000);
  page.gauge("gnomon_load",
             "How loaded the node is, from 0 to 1; from 0.8 on, clients go to regions that are little further.",
             pace.load());
  page.gauge("gnomon_background_allowed", "Items that the background may have under way now.", pace.allowed());
  page.gauge("gnomon_background_under_way", "Items that the background has under way now.", pace.under_way());
  page.gauge("gnomon_background_waiting", "Items whose turn to be in use has not come yet.", pace.waiting());
  page.counter("gnomon_background_put_off_total", "Times that background work was put off so that clients come first.",
               pace.put_off());
}

void add_freshness(const node_context& node, metric_page& page) {
  const auto& n = node.counters;
  const auto lapsed = node.lapsed_at_ms.load();
  page.gauge("gnomon_fresh", "1 while the node may answer from its copies without saying that they may be old.",
             node.is_fresh());
  page.counter("gnomon_catch_ups_total", "Times that the node became fresh again after a start or a lapse.",
               n.catch_ups);
  page.gauge("gnomon_catching_up_seconds", "How long the node has been catching up; 0: it is not.",
             lapsed > 0 ? static_cast<double>((node.steady_ms() - lapsed) / 1000) : 0);
}

void add_repair(const node_context& node, metric_page& page) {
  const auto& n = node.counters;
  page.counter("gnomon_comparisons_total", "Rounds of anti-entropy that ran to their end.", n.comparisons);
  page.counter("gnomon_differences_total", "Copies that these rounds found to differ.", n.differences);
  page.counter("gnomon_comparison_bytes_total", "Bytes of hashes and contexts that these rounds sent.",
               n.comparison_bytes);
  page.counter("gnomon_repair_checked_total", "Records that the repair has looked at.", n.repair_checked);
  page.counter("gnomon_repair_repaired_total", "Items to which the repair gave copies.", n.repair_repaired);
  page.counter("gnomon_repair_failed_total", "Repairs of an item that failed, to be tried again.", n.repair_failed);
  page.gauge("gnomon_repair_under_way", "Items that are being repaired now.", n.repair_under_way);
  page.gauge("gnomon_repair_active", "1 while a lost node's copies are made anew.", n.repair_active);
}

void add_dns(const node_context& node, metric_page& page) {
  if (!node.dns_counts)
    return;
  MetricFamily family{
      "gnomon_dns", "What Geo-DNS has counted since its start; items: that it knows now.", MetricType::Gauge, {}};
  for (const auto& [what, count] : node.dns_counts())
    family.metric.push_back(sample(family.type, static_cast<double>(count), {{"what", what}}));
  page.add(std::move(family));
}

/// The outcomes of copies made ahead.
void add_prefetching(const node_context& node, metric_page& page) {
  const auto& p = node.predicting;
  const metric_page::labels here{{"region", node.self.region}};
  const auto used = p.used.load();
  page.counter("gnomon_prefetch_copies_total", "Copies made ahead of their first read.", p.issued, here);
  page.counter("gnomon_prefetch_refused_total", "Copies not made because of the budget.", p.refused, here);
  page.counter("gnomon_prefetch_used_total", "Copies made ahead that were read.", p.used, here);
  page.counter("gnomon_prefetch_wasted_total", "Copies made ahead whose lease ended unread.", p.wasted, here);
  page.counter("gnomon_prefetch_bytes_total", "Bytes of copies made ahead.", p.bytes, here);
  page.counter("gnomon_prefetch_wasted_bytes_total", "Bytes of those that ended unread.", p.wasted_bytes, here);
  page.gauge("gnomon_prefetch_precision", "Of the copies made ahead whose outcome is known, the share that was read.",
             share(used, used + p.wasted.load()), here);
  page.gauge("gnomon_prefetch_coverage",
             "Of the reads that needed a copy from elsewhere, the share that found it here.",
             share(used, used + node.counters.reads_remote.load()), here);
  page.gauge("gnomon_prefetch_lead_seconds", "Mean time from a copy to its first read, on the node's clock.",
             share(p.lead_ms.load(), used) / 1000, here);
  page.gauge("gnomon_prefetch_threshold", "Confidence from which on a copy is made.", p.threshold, here);
}

void add_prediction(const node_context& node, metric_page& page) {
  const auto& p = node.predicting;
  const metric_page::labels here{{"region", node.self.region}};
  page.counter("gnomon_learned_accesses_total", "Reads and writes that were learned from.", p.accesses, here);
  page.counter("gnomon_learning_skipped_total", "Reads that nothing was predicted after, because the node was busy.",
               p.skipped, here);
  page.counter("gnomon_predictions_total", "Predictions made.", p.predictions, here);
  page.gauge("gnomon_inference_seconds", "Mean time of a prediction.",
             share(p.nanoseconds.load(), p.predictions.load()) / 1e9, here);
  page.gauge("gnomon_calibration_error", "Mean distance between the confidence of copies and what came true.",
             p.calibration_error, here);
  const auto version = static_cast<double>(node.models.get()->version);
  page.gauge("gnomon_model_version",
             "Version of the trained models in service: when they were trained, in milliseconds; 0: none.", version,
             here);
  const auto now = static_cast<double>(node.time->now().time_since_epoch().count());
  page.gauge("gnomon_model_age_seconds", "Since the models in service were trained; 0: there are none.",
             version > 0 ? std::max(0.0, now - version) / 1000 : 0, here);
}

/// The items with several versions that have the most bytes.
void add_crowded(const node_context& node, metric_page& page) {
  constexpr size_t shown = 5;
  MetricFamily versions{"gnomon_crowded_item_versions",
                        "Versions that did not know of each other, of the items with the most bytes of such.",
                        MetricType::Gauge,
                        {}};
  MetricFamily bytes{"gnomon_crowded_item_bytes", "Bytes of these versions together.", MetricType::Gauge, {}};
  for (const auto& item : node.crowded.largest(shown)) {
    metric_page::labels labels{{"id", item.id}};
    versions.metric.push_back(sample(versions.type, static_cast<double>(item.versions), labels));
    bytes.metric.push_back(sample(bytes.type, static_cast<double>(item.bytes), std::move(labels)));
  }
  page.add(std::move(versions));
  page.add(std::move(bytes));
}

void add_peers(const node_context& node, metric_page& page) {
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
    metric_page::labels labels{{"peer", peer.identity.node}, {"region", peer.identity.region}};
    state.metric.push_back(sample(state.type, static_cast<double>(peer.state), labels));
    caught.metric.push_back(sample(caught.type, peer.caught_up, labels));
    if (peer.answered_ms > 0)
      silent.metric.push_back(sample(silent.type, static_cast<double>(now - peer.answered_ms) / 1000, labels));
    if (peer.rtt_ms >= 0)
      rtt.metric.push_back(sample(rtt.type, peer.rtt_ms / 1000, std::move(labels)));
  }
  page.add(std::move(rtt));
  page.add(std::move(state));
  page.add(std::move(silent));
  page.add(std::move(caught));
}

} // namespace

void add_node_metrics(const node_context& node, metric_page& page) {
  add_requests(node, page);
  add_items(node, page);
  add_shadows(node, page);
  add_stores(node, page);
  add_background(node, page);
  add_freshness(node, page);
  add_repair(node, page);
  add_dns(node, page);
  if (node.config.predict) {
    add_prediction(node, page);
    add_prefetching(node, page);
  }
  add_crowded(node, page);
  add_peers(node, page);
}

} // namespace gnomon::http
