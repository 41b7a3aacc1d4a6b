#pragma once

#include "actors/node/node_context.hpp"
#include "runtime/gateway/own_pages.hpp"

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

/// The page at `/metrics`, in Prometheus' text format. A new metric is one line in `node_metrics.cpp`.
namespace gnomon::http {

/// Collects the metrics of one page.
class metric_page {
public:
  using labels = std::vector<prometheus::ClientMetric::Label>;

  /// A family with one value. Times are in seconds.
  void counter(std::string name, std::string help, double value, labels names = {});
  void gauge(std::string name, std::string help, double value, labels names = {});
  /// A family with several values, which differ in their labels.
  void add(prometheus::MetricFamily family) {
    families_.push_back(std::move(family));
  }
  std::string text() const;

private:
  std::vector<prometheus::MetricFamily> families_;
};

/// One value of a family of that type.
prometheus::ClientMetric sample(prometheus::MetricType type, double value, metric_page::labels names = {});

/// What the node publishes about itself, its stores, its items and its peers.
void add_node_metrics(const node_context& node, metric_page& page);

/// What the process's memory is used for.
void add_memory(const node_context& node, const server_facts& server, metric_page& page);

/// Everything at `/metrics`.
std::string metrics_page(const node_context& node, const server_facts& server);

} // namespace gnomon::http
