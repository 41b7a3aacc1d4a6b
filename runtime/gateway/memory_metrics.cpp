#include "runtime/base/process.hpp"
#include "runtime/gateway/metrics.hpp"

#include <algorithm>

/// jemalloc's; null with another allocator.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old, size_t* old_size, void* value, size_t size);

namespace gnomon::http {

namespace {

using prometheus::MetricType;

constexpr uint64_t active_shadow_bytes = 7'000; // an actor with its state, beside the value; measured
constexpr uint64_t connection_bytes = 5'000, tls_connection_bytes = 50'000;

size_t allocator_says(const char* name) {
  size_t value = 0, size = sizeof value;
  return mallctl(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}

} // namespace

void add_memory(const node_context& node, const server_facts& server, metric_page& page) {
  prometheus::MetricFamily family{
      "gnomon_memory_bytes",
      "What memory is used for, about. allocator: free, and kept for what comes next; program: code, threads, "
      "libraries.",
      MetricType::Gauge,
      {}};
  auto add = [&](const char* part, uint64_t bytes) {
    family.metric.push_back(sample(family.type, static_cast<double>(bytes), {{"part", part}}));
  };
  const auto& use = node.memory;
  add("shadows", node.counters.active_shadows.load() * active_shadow_bytes);
  add("index", node.index.bytes());
  add("catalog", use.of(memory_part::catalog));
  add("filter", node.ids.bytes());
  add("comparison", use.of(memory_part::comparison));
  add("prediction", use.of(memory_part::prediction));
  add("store", use.of(memory_part::store));
  add("dns", use.of(memory_part::dns));
  add("http", server.connections * (server.certificate_ends > 0 ? tls_connection_bytes : connection_bytes));
  const auto resident = resident_bytes();
  if (mallctl != nullptr) {
    uint64_t epoch = 1;
    mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch); // the figures of now
    auto mapped = allocator_says("stats.resident"), used = allocator_says("stats.allocated");
    add("allocator", mapped - std::min(used, mapped));
    add("program", resident - std::min<uint64_t>(mapped, resident));
  }
  page.add(std::move(family));
  page.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", static_cast<double>(resident));
}

} // namespace gnomon::http
