#include "runtime/gateway/own_pages.hpp"

#include "runtime/gateway/json.hpp"
#include "runtime/gateway/metrics.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::http {

namespace {

// What is still missing until the node can serve; empty when nothing is.
std::string missing(const node_context& node) {
  auto handles = node.handles.get();
  auto open = !handles->stores.empty()
              && std::all_of(handles->stores.begin(), handles->stores.end(), [](const auto& s) { return bool{s}; });
  if (!open)
    return "the stores are not open yet";
  if (!handles->membership)
    return "the node does not take part in the cluster yet";
  if (!handles->router || handles->shards.size() != shard_count)
    return "the router is not running yet";
  return {};
}

/// What is held here is not known in whole yet. The node serves meanwhile, and others do not find all that it holds.
response still_reading(const node_context& node) {
  const auto& counters = node.counters;
  auto why = *node.reading_problem.get();
  auto page = problem(503, "not-ready",
                      fmt::format("the stores are being read, {} records so far{}", counters.records_read.load(),
                                  why.empty() ? "" : "; " + why));
  auto document = nlohmann::ordered_json::parse(page.content());
  document["reading"] = {{"records", counters.records_read.load()}, {"items", counters.items.load()}};
  page.body = blob{dump(document)};
  return page;
}

response ready(const node_context& node) {
  auto lacking = missing(node);
  if (!lacking.empty())
    return problem(503, "not-ready", lacking);
  if (node.counters.shards_ready < shard_count)
    return still_reading(node);
  return momentary("application/json", dump({{"status", "ready"},
                                             {"node", node.self.node},
                                             {"region", node.self.region},
                                             {"takes_writes", node.counters.stores_full == 0},
                                             {"lost_parts", node.lost.get()->size()}}));
}

} // namespace

response answer_own(own_page page, const node_context& node, const server_facts& server) {
  switch (page) {
  case own_page::live:
    return momentary("application/json", dump({{"status", "live"}}));
  case own_page::ready:
    return ready(node);
  case own_page::metrics:
    return momentary("text/plain; version=0.0.4; charset=utf-8", metrics_page(node, server));
  case own_page::openapi:
    return json_response(200, std::string{openapi_document()});
  }
  return problem(404, "unknown-path", "there is nothing at this path");
}

} // namespace gnomon::http
