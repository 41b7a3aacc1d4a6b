#include "runtime/base/label.hpp"
#include "runtime/base/rounded.hpp"
#include "runtime/base/times.hpp"
#include "runtime/shell/command.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json;

timestamp now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

style of_role(const std::string& role) {
  return role == "durable" ? style::good : role == "shadow" ? style::plain : style::faint;
}

// -- shadow create ----------------------------------------------------------------------------------------------------

json to_json(const shadow_creation& made) {
  json copies = json::array();
  for (auto& c : made.copies)
    copies.push_back({{"node", c.node}, {"region", c.region}, {"role", c.role}, {"present", c.present}});
  json result{{"id", made.id}, {"factor", made.factor}, {"copies", copies}};
  if (!made.shortfall.empty())
    result["shortfall"] = made.shortfall;
  return result;
}

int create_shadow(session_context& context, const arguments& args) {
  uint32_t factor = 0;
  if (args.has("--factor"))
    factor = static_cast<uint32_t>(parse_count(args.get("--factor"), "--factor", 1, 64));
  std::chrono::seconds ttl{0};
  if (args.has("--ttl"))
    ttl = std::chrono::seconds{parse_count(args.get("--ttl"), "--ttl", 1, 10ull * 365 * 86400)};
  auto made = context.wait(context.node().create_shadow_later(args.positional[0], factor, ttl));
  if (context.json) {
    context.print(to_json(made));
    return done;
  }
  table t{{"REGION", "NODE", "ROLE", "SINCE"}};
  for (auto& c : made.copies)
    t.row({c.region,
           c.node,
           {c.role, of_role(c.role)},
           c.present ? cell{"before", style::faint} : cell{"now", style::good}});
  t.print(context.to);
  if (!made.shortfall.empty())
    context.to.err << fmt::format("fewer than the factor of {} asks for: {}\n", made.factor, printable(made.shortfall));
  return done;
}

int drop_shadow(session_context& context, const arguments& args) {
  auto& id = args.positional[0];
  auto& region = args.positional[1];
  context.wait(context.node().drop_shadow_later(id, region));
  if (context.json)
    context.print(json{{"id", id}, {"region", region}, {"dropped", true}});
  else
    context.to.out << fmt::format("dropped the copy of {} in {}\n", printable(id), printable(region));
  return done;
}

// -- status -----------------------------------------------------------------------------------------------------------

json to_json(const copy_status& c) {
  json result{{"node", c.node}, {"region", c.region}, {"role", c.role}, {"reachable", c.reachable}};
  if (!c.reason.empty()) {
    result["reason"] = c.reason;
    result["confidence"] = rounded_figure(c.confidence);
  }
  result["etag"] = c.etag;
  if (c.created != time_point{})
    result["created"] = rfc3339(c.created);
  if (c.expires != time_point{})
    result["expires"] = rfc3339(c.expires);
  result["bytes"] = c.bytes;
  result["reads"] = c.reads;
  result["demand"] = rounded_figure(c.demand);
  result["cost_bytes"] = c.cost_bytes;
  result["saved_ms"] = c.saved.count();
  result["spent_usd"] = rounded_usd(c.spent_usd);
  result["saved_usd"] = rounded_usd(c.saved_usd);
  result["why"] = c.why;
  result["pinned"] = c.pinned;
  result["deleted"] = c.deleted;
  return result;
}

std::vector<cell> to_row(const copy_status& c, const item_status& whole) {
  std::string notes;
  auto note = [&](std::string_view text) { notes += (notes.empty() ? "" : ", ") + std::string{text}; };
  if (c.node == whole.steward)
    note("steward");
  if (c.pinned)
    note("pinned");
  if (c.deleted)
    note("deleted");
  if (!c.reachable)
    note("no answer");
  auto reason = c.reason == "prediction" ? fmt::format("{} {:.2f}", c.reason, c.confidence) : c.reason;
  auto lives = c.role == "shadow" ? human_time(c.expires, now()) : std::string{};
  return {c.region,
          c.node,
          {c.role, of_role(c.role)},
          reason,
          lives,
          human_bytes(c.bytes),
          human_count(c.reads),
          human_bytes(c.cost_bytes),
          human_duration(c.saved),
          {notes, c.reachable ? style::plain : style::bad}};
}

int status(session_context& context, const arguments& args) {
  auto found = context.wait(context.node().status_later(args.positional[0]));
  if (context.json) {
    json copies = json::array();
    for (auto& c : found.copies)
      copies.push_back(to_json(c));
    context.print({{"id", found.id},
                   {"factor", found.factor},
                   {"min_copies", found.min_copies},
                   {"steward", found.steward},
                   {"deleted", found.deleted},
                   {"copies", copies}});
    return done;
  }
  table t{{"REGION", "NODE", "ROLE", "REASON", "EXPIRES", ">SIZE", ">READS", ">COST", ">SAVED", "NOTES"}};
  for (auto& c : found.copies)
    t.row(to_row(c, found));
  t.print(context.to);
  if (found.deleted)
    context.to.out << fmt::format("{} was deleted; its holders keep that in mind until all of them have heard of it\n",
                                  printable(found.id));
  else
    context.to.out << fmt::format("factor {}, at least {} durable\n", found.factor, found.min_copies);
  return done;
}

// -- explain ----------------------------------------------------------------------------------------------------------

std::string usd(double amount) {
  return fmt::format("${:.3g}", amount);
}

/// The same answer as that of `status`, with the sums.
int explain(session_context& context, const arguments& args) {
  if (context.json)
    return status(context, args);
  auto found = context.wait(context.node().status_later(args.positional[0]));
  table t{{"REGION", "NODE", "ROLE", ">DEMAND", ">SPENT", ">SAVED", "EXPIRES", "WHY IT IS KEPT"}};
  double spent = 0, saved = 0;
  for (const auto& c : found.copies) {
    spent += c.spent_usd;
    saved += c.saved_usd;
    t.row({c.region,
           c.node,
           {c.role, of_role(c.role)},
           fmt::format("{:.1f}", c.demand),
           usd(c.spent_usd),
           usd(c.saved_usd),
           c.role == "shadow" ? human_time(c.expires, now()) : std::string{},
           !c.reachable ? "no answer"
           : c.deleted  ? "deleted; kept until all holders have heard of it"
                        : c.why});
  }
  t.print(context.to);
  context.to.out << fmt::format("spent {} on all copies, saved {} by their reads\n", usd(spent), usd(saved));
  return done;
}

// -- route ------------------------------------------------------------------------------------------------------------

std::optional<coordinates> place_from(session_context& context, const arguments& args) {
  if (args.has("--from")) {
    if (args.has("--lat") || args.has("--lon"))
      throw usage_error{"say --from REGION, or --lat and --lon, not both"};
    auto region = args.get("--from");
    for (auto& n : context.wait(context.node().cluster_later()).nodes)
      if (n.region == region)
        return n.where;
    throw usage_error{fmt::format("the cluster has no region '{}'; 'cluster' lists them", region)};
  }
  if (args.has("--lat") != args.has("--lon"))
    throw usage_error{"--lat and --lon go together"};
  if (!args.has("--lat"))
    return std::nullopt;
  return coordinates{parse_real(args.get("--lat"), "--lat", -90, 90),
                     parse_real(args.get("--lon"), "--lon", -180, 180)};
}

int label(session_context& context, const arguments& args) {
  auto text = label_of(args.positional[0]);
  if (context.json)
    context.print(json{{"id", args.positional[0]}, {"label", text}});
  else
    context.to.out << text << '\n';
  return done;
}

std::vector<route_entry> routes_for(session_context& context, const arguments& args) {
  const auto& id = args.positional[0];
  auto from = place_from(context, args);
  if (!args.has("--ip"))
    return context.wait(context.node().route_later(id, from));
  if (from)
    throw usage_error{"say --ip ADDRESS, or a place, not both"};
  return context.wait(context.node().route_for_later(id, args.get("--ip")));
}

int route(session_context& context, const arguments& args) {
  auto choices = routes_for(context, args);
  if (context.json) {
    json list = json::array();
    for (auto& c : choices) {
      json one{{"region", c.region}, {"node", c.node}, {"holds", c.holds}, {"live", c.live}};
      if (c.rtt_ms)
        one["rtt_ms"] = rounded_figure(*c.rtt_ms);
      if (c.distance_km)
        one["distance_km"] = rounded_figure(*c.distance_km);
      if (c.expected_ms)
        one["expected_ms"] = rounded_figure(*c.expected_ms);
      one["reason"] = c.reason;
      list.push_back(std::move(one));
    }
    context.print({{"id", args.positional[0]}, {"regions", list}});
    return done;
  }
  table t{{">#", "REGION", "NODE", "HOLDS", ">ROUND TRIP", ">DISTANCE", ">EXPECTED", "REASON"}};
  size_t rank = 0;
  for (auto& c : choices)
    t.row({std::to_string(++rank),
           c.region,
           {c.node, c.live ? style::plain : style::bad},
           c.holds ? cell{"yes", style::good} : cell{"no", style::faint},
           c.rtt_ms ? human_ms(*c.rtt_ms) : "",
           c.distance_km ? fmt::format("{} km", human_count(static_cast<uint64_t>(*c.distance_km))) : "",
           c.expected_ms ? human_ms(*c.expected_ms) : "",
           c.reason});
  t.print(context.to);
  return done;
}

command shadow_create_command() {
  return {
      .name = "shadow create",
      .synopsis = "ID",
      .summary = "make copies of an item now",
      .details =
          R"(  Copies are made in the regions with the lowest latency from here until as many hold one as the factor says.

  shadow create news/1 --factor 4 --ttl 3600
)",
      .options = {{"--factor", "N", "regions that shall hold it; by default as the policy says"},
                  {"--ttl", "SECONDS", "how long a copy lives after its last read; by default as the policy says"}},
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .run = create_shadow,
  };
}

command shadow_drop_command() {
  return {
      .name = "shadow drop",
      .synopsis = "ID REGION",
      .summary = "drop the copy of an item in one region",
      .details =
          R"(  Only shadows can be dropped: policies say where durable copies are. The next read there may make a new one.

  shadow drop news/1 sa-east-1
)",
      .least = 2,
      .most = 2,
      .offers = {offer::ids, offer::regions},
      .run = drop_shadow,
  };
}

command status_command() {
  return {
      .name = "status",
      .synopsis = "ID",
      .summary = "where an item's copies are, and why",
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .long_answer = true,
      .run = status,
  };
}

command explain_command() {
  return {
      .name = "explain",
      .synopsis = "ID",
      .summary = "what each copy cost and saved, and why it is kept",
      .details =
          R"(  DEMAND counts the reads and writes in the copy's region, of which half are forgotten in a day. The prices are
  those of the copy's node. docs/economy.md explains the sums.

  explain news/1
)",
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .long_answer = true,
      .run = explain,
  };
}

command label_command() {
  return {
      .name = "label",
      .synopsis = "ID",
      .summary = "the item's name in DNS, below the zones of Geo-DNS",
      .details = R"(  base32hex of the first 20 bytes of the SHA-256 of the id. Needs no node.

  dig $(gnomon label news/1).g.example
)",
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .run = label,
  };
}

command route_command() {
  return {
      .name = "route",
      .synopsis = "ID",
      .summary = "which regions would serve an item, best first",
      .details =
          R"(  Seen from the node that is asked, from a place, or by a client. ROUND TRIP is measured from the node that is
  asked; EXPECTED is the client's.

  route news/1 --from sa-east-1
  route news/1 --lat -33.4 --lon -70.6
  route news/1 --ip 192.0.2.1
)",
      .options = {{"--from", "REGION", "seen from that region"},
                  {"--ip", "ADDRESS", "seen by the client at that address"},
                  {"--lat", "DEGREES", "seen from that place"},
                  {"--lon", "DEGREES", ""}},
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .long_answer = true,
      .run = route,
  };
}

} // namespace

std::vector<command> copy_commands() {
  return {shadow_create_command(), shadow_drop_command(), status_command(),
          explain_command(),       label_command(),       route_command()};
}

} // namespace gnomon::shell
