#include "runtime/replay/node_api.hpp"

#include "runtime/base/strict_json.hpp"

#include <charconv>
#include <optional>

namespace gnomon::replay {

using namespace std::chrono_literals;

namespace {

constexpr auto answer_bound = 5s;
constexpr std::string_view bytes_moved_metric = "gnomon_region_bytes_out_total";
constexpr std::string_view ahead_metric = "gnomon_prefetch_copies_total";
constexpr std::string_view ahead_read_metric = "gnomon_prefetch_used_total";
constexpr std::string_view mean_lead_metric = "gnomon_prefetch_lead_seconds";

/// The value of a sample line such as `name{label="x"} 12.5 1700000000`, given what follows the name.
double sample_value(std::string_view rest) {
  if (rest.starts_with('{')) {
    auto close = rest.rfind('}');
    rest.remove_prefix(close == std::string_view::npos ? rest.size() : close + 1);
  }
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  double value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

} // namespace

double metric_sum(std::string_view text, std::string_view name) {
  double sum = 0;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(name))
      continue;
    auto rest = line.substr(name.size());
    if (rest.starts_with('{') || rest.starts_with(' '))
      sum += sample_value(rest);
  }
  return sum;
}

held held_in(std::string_view metrics) {
  return {metric_sum(metrics, "gnomon_items"), metric_sum(metrics, "gnomon_item_bytes")};
}

expected<node_view> parse_cluster(const std::string& text) {
  const auto answer = parse_strict_json(text);
  const auto& json = answer.document;
  if (!answer.good() || !json.is_object() || !json.contains("nodes") || !json["nodes"].is_array())
    return make_error(ec::bad_message, "the answer of /cluster has no list of nodes: " + text.substr(0, 200));
  node_view result;
  result.name = json.value("self", "");
  for (const auto& node : json["nodes"]) {
    if (!node.is_object())
      return make_error(ec::bad_message, "the answer of /cluster lists something that is no node");
    auto itself = node.value("node", "") == result.name;
    result.live_nodes += itself || node.value("state", "") == "live";
    if (itself)
      result.items = node.value("items", uint64_t{0});
  }
  return result;
}

expected<std::string> get_text(event_loop& loop, const api_address& api, std::string target) {
  http_client client(loop.io(), api, answer_bound);
  std::optional<expected<http_response>> answer;
  http_request request;
  request.target = target;
  client.send(std::move(request), [&](expected<http_response> got) { answer.emplace(std::move(got)); });
  if (auto wrong = loop.run_until([&] { return answer.has_value(); }, answer_bound + 1s))
    return wrong;
  if (!*answer)
    return answer->error();
  auto& response = **answer;
  if (response.status != 200)
    return make_error(ec::bad_message, url_of(api) + target + " answered " + std::to_string(response.status) + ' '
                                           + response.body.substr(0, 200));
  return std::move(response.body);
}

expected<cluster_totals> ask_totals(event_loop& loop, const std::vector<api_address>& nodes) {
  cluster_totals totals;
  for (const auto& node : nodes) {
    auto cluster = get_text(loop, node, "/cluster");
    if (!cluster)
      return cluster.error();
    auto view = parse_cluster(*cluster);
    if (!view)
      return view.error();
    auto metrics = get_text(loop, node, "/metrics");
    if (!metrics)
      return metrics.error();
    totals.copies += view->items;
    totals.sent_by_node.push_back(static_cast<uint64_t>(metric_sum(*metrics, bytes_moved_metric)));
    totals.bytes_moved += totals.sent_by_node.back();
    totals.ahead += static_cast<uint64_t>(metric_sum(*metrics, ahead_metric));
    const double read = metric_sum(*metrics, ahead_read_metric);
    totals.ahead_read += static_cast<uint64_t>(read);
    totals.lead_seconds += read * metric_sum(*metrics, mean_lead_metric);
  }
  return totals;
}

} // namespace gnomon::replay
