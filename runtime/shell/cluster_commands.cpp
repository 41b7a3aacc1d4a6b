#include "runtime/shell/command.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json;

style of_state(const std::string& state) {
  return state == "live" || state == "self" ? style::good : state == "suspect" ? style::warning : style::bad;
}

json to_json(const node_status& n) {
  json one{{"node", n.node},
           {"region", n.region},
           {"address", n.address},
           {"latitude", n.where.latitude},
           {"longitude", n.where.longitude},
           {"state", n.state}};
  if (n.rtt_ms)
    one["rtt_ms"] = *n.rtt_ms;
  one["items"] = n.items;
  one["shadows"] = n.shadows;
  one["bytes"] = n.bytes;
  return one;
}

int cluster(session_context& context, const arguments&) {
  auto report = context.node().cluster();
  if (context.json) {
    json nodes = json::array();
    for (auto& n : report.nodes)
      nodes.push_back(to_json(n));
    context.print({{"self", report.self}, {"nodes", nodes}});
    return done;
  }
  table t{{"NODE", "REGION", "STATE", ">ROUND TRIP", ">ITEMS", ">SHADOWS", ">BYTES", "ADDRESS"}};
  for (auto& n : report.nodes)
    t.row({n.node,
           n.region,
           {n.state, of_state(n.state)},
           n.rtt_ms ? human_ms(*n.rtt_ms) : "",
           human_count(n.items),
           human_count(n.shadows),
           human_bytes(n.bytes),
           n.address});
  t.print(context.to);
  return done;
}

} // namespace

std::vector<command> cluster_commands() {
  return {{"cluster", "", "nodes, their state, round trips and load", "", {}, 0, 0, {}, cluster}};
}

} // namespace gnomon::shell
