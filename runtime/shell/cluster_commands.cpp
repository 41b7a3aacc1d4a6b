#include "runtime/base/rounded.hpp"
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
    one["rtt_ms"] = rounded_figure(*n.rtt_ms);
  one["items"] = n.items;
  one["shadows"] = n.shadows;
  one["bytes"] = n.bytes;
  if (n.silent)
    one["silent_ms"] = n.silent->count();
  one["fresh"] = n.fresh;
  one["caught_up"] = n.caught_up;
  return one;
}

json to_json(const cluster_status& report) {
  json nodes = json::array();
  for (auto& n : report.nodes)
    nodes.push_back(to_json(n));
  const auto& r = report.repair;
  return {{"self", report.self},
          {"nodes", nodes},
          {"catching_up_ms", report.catching_up.count()},
          {"repair", {{"active", r.active}, {"checked", r.checked}, {"repaired", r.repaired}, {"failed", r.failed}}},
          {"removed", report.removed}};
}

/// What is out of the ordinary.
void print_news(const cluster_status& report, std::ostream& out) {
  for (auto& n : report.nodes)
    if (n.silent && (n.state == "down" || n.state == "suspect"))
      out << fmt::format("{} has been silent for {}\n", printable(n.node),
                         human_ms(static_cast<double>(n.silent->count())));
  if (report.catching_up.count() > 0)
    out << fmt::format("{} has been catching up for {}\n", printable(report.self),
                       human_ms(static_cast<double>(report.catching_up.count())));
  if (report.repair.active)
    out << fmt::format("{} looks for items that need copies: {} so far got some\n", printable(report.self),
                       human_count(report.repair.repaired));
}

int cluster(session_context& context, const arguments&) {
  auto report = context.wait(context.node().cluster_later());
  if (context.json) {
    context.print(to_json(report));
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
  print_news(report, context.to.out);
  return done;
}

int remove(session_context& context, const arguments& args) {
  auto gone = context.wait(context.node().remove_node_later(args.positional[0], args.has("--force")));
  if (context.json)
    context.print({{"node", gone.node}, {"items", gone.items}});
  else
    context.to.out << fmt::format("{} is out of the cluster for good. Copies of its {} items are made anew elsewhere.\n"
                                  "Its store is refused from now on; to let it come back, start it with an empty "
                                  "data_dir.\n",
                                  printable(gone.node), human_count(gone.items));
  return done;
}

command cluster_remove_command() {
  return {
      .name = "cluster remove",
      .synopsis = "NODE [--force]",
      .summary = "take a node out for good",
      .details = R"(  Its name leaves the holders of all items, its copies are made anew on other nodes, and its
  store is refused for ever, also by nodes that are away now. A live node is refused unless
  --force is given: then what only it has is lost.
)",
      .options = {{"--force", "", "remove it even though it is alive"}},
      .least = 1,
      .most = 1,
      .offers = {offer::nodes},
      .run = remove,
  };
}

command cluster_command() {
  return {
      .name = "cluster",
      .synopsis = "",
      .summary = "nodes, their state, round trips and load",
      .long_answer = true,
      .run = cluster,
  };
}

} // namespace

std::vector<command> cluster_commands() {
  return {cluster_remove_command(), cluster_command()};
}

} // namespace gnomon::shell
