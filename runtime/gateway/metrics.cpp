#include "runtime/gateway/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <array>
#include <limits>

namespace gnomon::http {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric sample(MetricType type, double value, metric_page::labels names) {
  ClientMetric metric;
  metric.label = std::move(names);
  if (type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  return metric;
}

void metric_page::counter(std::string name, std::string help, double value, labels names) {
  constexpr auto type = MetricType::Counter;
  add({std::move(name), std::move(help), type, {sample(type, value, std::move(names))}});
}

void metric_page::gauge(std::string name, std::string help, double value, labels names) {
  constexpr auto type = MetricType::Gauge;
  add({std::move(name), std::move(help), type, {sample(type, value, std::move(names))}});
}

std::string metric_page::text() const {
  return prometheus::TextSerializer{}.Serialize(families_);
}

namespace {

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

ClientMetric histogram(const totals& all, metric_page::labels labels) {
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

void add_http(const server_facts& server, metric_page& page) {
  MetricFamily requests{
      "gnomon_http_requests_total", "Requests by route and class of status.", MetricType::Counter, {}};
  MetricFamily seconds{
      "gnomon_http_request_seconds", "From the complete head of a request to its answer.", MetricType::Histogram, {}};
  for (size_t i = 0; i <= static_cast<size_t>(endpoint::unknown); ++i)
    for (size_t k = 1; k < http_stats::classes; ++k) {
      auto where = static_cast<endpoint>(i);
      auto all = sum(server.threads, where, k);
      if (all.count == 0)
        continue;
      metric_page::labels labels{{"route", std::string{pattern_of(where)}}, {"status", std::to_string(k) + "xx"}};
      requests.metric.push_back(sample(requests.type, static_cast<double>(all.count), labels));
      seconds.metric.push_back(histogram(all, std::move(labels)));
    }
  page.add(std::move(requests));
  page.add(std::move(seconds));
  page.gauge("gnomon_http_connections", "Open connections.", static_cast<double>(server.connections));
  page.counter("gnomon_http_failed_openings_total", "Connections that did not get through TLS or the proxy's header.",
               static_cast<double>(server.failed_openings));
  page.gauge("gnomon_http_certificate_ends_seconds",
             "When the certificate of HTTP ends, in seconds since 1970; 0: it has none.",
             static_cast<double>(server.certificate_ends));
}

void add_tunnel(const std::map<std::string, uint64_t>& counts, metric_page& page) {
  if (counts.empty())
    return;
  auto count = [&](const char* what) { return static_cast<double>(counts.at(what)); };
  page.gauge("gnomon_tunnel_tls_connections", "Open connections with other nodes, in TLS.", count("tls_connections"));
  page.gauge("gnomon_tunnel_plain_connections", "Open connections with other nodes, in plain TCP.",
             count("plain_connections"));
  page.gauge("gnomon_tunnel_shell_connections", "Open connections with shells and embedded clients elsewhere.",
             count("shell_connections"));
  page.counter("gnomon_tunnel_failed_handshakes_total", "Callers who did not get through TLS and their greeting.",
               count("failed_handshakes"));
  page.counter("gnomon_tunnel_refused_total", "Callers who were one too many, or came from a forbidden network.",
               count("refused_callers"));
  page.counter("gnomon_tunnel_cut_off_total",
               "Connections of nodes and shells that were closed because of what came in on them.",
               count("cut_off_peers"));
  page.gauge("gnomon_certificate_ends_seconds",
             "When this node's certificate ends, in seconds since 1970; 0: it has none.", count("certificate_ends"));
  page.gauge("gnomon_authority_ends_seconds",
             "When the first of the trusted authorities ends, in seconds since 1970; 0: there is none.",
             count("authority_ends"));
}

} // namespace

std::string metrics_page(const node_context& node, const server_facts& server) {
  metric_page page;
  add_node_metrics(node, page);
  add_memory(node, server, page);
  add_tunnel(server.tunnel, page);
  add_http(server, page);
  return page.text();
}

} // namespace gnomon::http
