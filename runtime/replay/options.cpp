#include "runtime/replay/options.hpp"

#include "runtime/base/numbers.hpp"
#include "runtime/base/process.hpp"

#include <spdlog/fmt/fmt.h>

#include <functional>
#include <map>
#include <optional>

namespace gnomon::replay {

namespace {

caf::error refuse(std::string sentence) {
  return make_error(ec::invalid_argument, std::move(sentence));
}

template <class T>
caf::error read_number(const std::string& name, const std::string& text, T least, T most, T& result) {
  auto value = parse_number<T>(text);
  if (!value || !(*value >= least && *value <= most))
    return refuse(fmt::format("{} takes a number from {} to {}, not \"{}\"", name, least, most, text));
  result = *value;
  return {};
}

caf::error add_target(const std::string& text, std::vector<target>& targets) {
  auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return refuse("--target takes REGION=http://HOST:PORT, not \"" + text + "\"");
  auto api = parse_http_url(std::string_view{text}.substr(equals + 1));
  if (!api)
    return refuse("--target " + text.substr(0, equals) + ": " + sentence_of(api.error()));
  auto name = text.substr(0, equals);
  for (const auto& known : targets)
    if (known.region.name == name)
      return refuse("--target names the region " + name + " twice");
  targets.push_back({{name, place_of(name)}, *api});
  return {};
}

/// An option that takes a value, and how it is read.
using reader = std::function<caf::error(const std::string&, options&)>;

template <class Text>
reader text(Text options::*to) {
  return [to](const std::string& given, options& o) {
    o.*to = given;
    return caf::error{};
  };
}

const std::map<std::string, reader>& valued_options() {
  static const std::map<std::string, reader> table{
      {"--limit", [](auto& v, auto& o) { return read_number<uint64_t>("--limit", v, 1, 1'000'000'000, o.limit); }},
      {"--origin", text(&options::origin)},
      {"--location",
       [](auto& v, auto& o) {
         o.locations.push_back(v);
         return caf::error{};
       }},
      {"--value-bytes",
       [](auto& v, auto& o) { return read_number<uint64_t>("--value-bytes", v, 1, 64u << 20, o.value_bytes); }},
      {"--prices", text(&options::prices)},
      {"--usd-per-ms", [](auto& v, auto& o) { return read_number<double>("--usd-per-ms", v, 0.0, 1.0, o.usd_per_ms); }},
      {"--report", text(&options::report)},
      {"--time-scale",
       [](auto& v, auto& o) { return read_number<double>("--time-scale", v, 0.001, 1e9, o.time_scale); }},
      {"--seed", [](auto& v, auto& o) { return read_number<uint64_t>("--seed", v, 0, UINT64_MAX, o.synthetic.seed); }},
      {"--reads",
       [](auto& v, auto& o) { return read_number<uint64_t>("--reads", v, 1, 10'000'000, o.synthetic.reads); }},
      {"--json", text(&options::json)},
      {"--bin", text(&options::bin)},
      {"--configs", text(&options::configs)},
      {"--keep", text(&options::keep)},
      {"--set",
       [](auto& v, auto& o) {
         o.settings.push_back(v);
         return caf::error{};
       }},
      {"--zone", text(&options::zone)},
      {"--kill", text(&options::kill)},
      {"--target", [](auto& v, auto& o) { return add_target(v, o.targets); }},
  };
  return table;
}

const std::map<std::string, options::command>& commands() {
  static const std::map<std::string, options::command> table{
      {"run", options::command::run}, {"load", options::command::load}, {"geodns", options::command::geo_dns}};
  return table;
}

bool set_switch(const std::string& argument, options& result) {
  if (argument == "--quiet")
    result.quiet = true;
  else if (argument == "--no-delays")
    result.delays = false;
  else if (argument == "--tls")
    result.tls = true;
  else if (argument == "--no-baseline")
    result.baseline = false;
  else
    return false;
  return true;
}

bool is_zone_name(const std::string& text) {
  auto labels = '.' + text + '.'; // so that no label is empty where no two dots meet
  return labels.find("..") == std::string::npos
         && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos;
}

caf::error check_together(const options& result) {
  if (result.what == options::command::load && result.targets.empty())
    return refuse("load needs at least one --target REGION=http://HOST:PORT");
  if (result.what != options::command::load && !result.targets.empty())
    return refuse("run and geodns start their own nodes; use load with --target");
  if (!is_zone_name(result.zone))
    return refuse("--zone takes a name such as g.example, not \"" + result.zone + "\"");
  return {};
}

} // namespace

expected<options> parse_options(const std::vector<std::string>& arguments) {
  options result;
  for (const auto& argument : arguments)
    if (asks_for_help(argument))
      return result;
  if (arguments.empty())
    return refuse("give a command: run, load or geodns");
  if (auto command = commands().find(arguments[0]); command != commands().end())
    result.what = command->second;
  else
    return refuse("there is no command \"" + arguments[0] + "\"; there are run, load and geodns");
  bool trace_given = false;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    auto name = argument.substr(0, argument.find('='));
    if (set_switch(argument, result))
      continue;
    if (auto known = valued_options().find(name); known != valued_options().end()) {
      auto inside = name.size() < argument.size();
      if (!inside && i + 1 == arguments.size())
        return refuse(name + " needs a value");
      if (auto wrong = known->second(inside ? argument.substr(name.size() + 1) : arguments[++i], result))
        return wrong;
    } else if (argument.starts_with('-') && argument.size() > 1) {
      return refuse("there is no option " + argument);
    } else if (std::exchange(trace_given, true)) {
      return refuse("there is more than one trace: " + result.trace.string() + " and " + argument);
    } else {
      result.trace = argument;
    }
  }
  if (auto wrong = check_together(result))
    return wrong;
  return result;
}

namespace {

constexpr std::string_view help = R"(usage: gnomon-replay run [TRACE] [OPTIONS]
       gnomon-replay load --target REGION=http://HOST:PORT... [TRACE] [OPTIONS]
       gnomon-replay geodns [TRACE] [OPTIONS]

run   starts one node for each config file in configs/five-regions/ on this machine, delays the links between them as
      the distances in round-trips.csv ask, and plays TRACE to them over HTTP, each read in its reader's region: first
      with every item at its origin only, then with every item everywhere, then as configured. Prints the results side
      by side.
load  plays TRACE once to a cluster that runs already.
geodns  plays TRACE twice to nodes that also answer DNS: as run does, and then by names. In front of the nodes stands
      unbound with client subnet; readers ask it for each item, and fetch the item where the answer says. Then one
      region is killed, and readers go on for 20 s. The shares of local answers must be the same within 2 points, and
      from 5 s and one TTL after the kill on no answer may name the dead region.

TRACE is one of these, plain or gzip; what it is shows in its content:
  CSV         the first line names the columns t, user, item and perhaps region, in any order; without it the fields are
              t,user,region,item; t in seconds, or as in 2024-05-01T12:00:00Z; fields may be quoted
  JSON        one object a line, or a list of them: user_id, data_id, timestamp and perhaps region
  access log  Common or Combined Log Format, also behind a virtual host: GETs answered with 2xx or 304; the item is "web"
              and the path without its query, the user the client address
Readers whose line names no region are in the region with the shortest expected round trip to their address, where a
location database knows it (--location). Others are spread over the regions by a hash of their address's /16 (IPv6:
/32). Lines that cannot be understood are counted and passed over. A region that the cluster does not have is served by
the nearest that it has. Without TRACE there is a synthetic one: a day of a news site, 3,000 readers in five regions,
230 stories in 23 topics, Zipf popularity, regional taste, day and night, some travellers, and an update after every
twenty reads; the same for the same --seed.

Each item is written once in the origin region first, which is not measured. At most 64 requests are open at once; when
that is too few for the time scale, reads go out late, and the page says so.

  --limit N           read the first N lines of TRACE only
  --location FILE     a location database (MMDB) that places readers by address; of several, the first that knows it
  --origin REGION     where the items are written; the default is the region with the most reads
  --value-bytes N     size of each item; the default is 1024, for the synthetic trace log-normal around 64 KiB
  --prices FILE       region,storage $ per GB-month,$ per GB sent to other regions (default: configs/prices.csv)
  --usd-per-ms X      what a millisecond of waiting is worth for one read (default 1e-8)
  --time-scale X      seconds of the trace in one second here; leases and rates shrink alike, distances do not. The
                      default makes all passes together take under ten minutes where 64 open requests allow it
  --json FILE         write the figures to FILE, too ("-": to standard output, in place of the page)
  --report FILE       write a page for a browser to FILE, too
  --quiet             no progress on standard error
  --seed N, --reads N the synthetic trace's seed (1) and number of reads (8000)
geodns only (a pass takes four minutes by default: what DNS remembers does not shrink with the trace):
  --zone NAME         the zone that the nodes serve; the default is g.example
  --kill REGION       the region to kill; the default is the origin
run and geodns:
  --no-baseline       of run: play the last pass alone
  --tls               nodes and their readers talk in TLS, with certificates made for the occasion
  --no-delays         leave the links as fast as this machine is
  --set KEY=VALUE     a config setting for every node, e.g. --set 'placement.shadow_ttl="1h"'; may be given again
  --keep DIR          keep data directories and logs in DIR
  --bin DIR           where gnomond is; the default is beside this program
  --configs DIR       another cluster than configs/five-regions

Exit status: 0 when every read was answered with the right bytes and geodns found what it must, 1 when something
failed, 2 for wrong usage.

  gnomon-replay run reads.csv.gz --limit 200000 --json figures.json
  gnomon-replay load --target us-east-1=http://127.0.0.1:8101 --target eu-central-1=http://127.0.0.1:8103 access.log
)";

} // namespace

std::string_view help_text() {
  return help;
}

} // namespace gnomon::replay
