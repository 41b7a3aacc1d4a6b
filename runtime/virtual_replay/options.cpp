#include "runtime/virtual_replay/options.hpp"

#include "runtime/base/numbers.hpp"
#include "runtime/base/process.hpp"
#include "runtime/virtual_replay/policy.hpp"

#include <spdlog/fmt/fmt.h>

#include <functional>
#include <map>

namespace gnomon::virtual_replay {

namespace {

caf::error refuse(std::string sentence) {
  return make_error(ec::invalid_argument, std::move(sentence));
}

/// An option that takes a value, and how it is read.
using taker = std::function<caf::error(const std::string&)>;

template <class T>
taker number(const std::string& name, T least, T most, T& to) {
  return [=, &to](const std::string& text) -> caf::error {
    auto value = parse_number<T>(text);
    if (!value || !(*value >= least && *value <= most))
      return refuse(fmt::format("{} takes a number from {} to {}, not \"{}\"", name, least, most, text));
    to = *value;
    return {};
  };
}

taker text(std::string& to) {
  return [&to](const std::string& given) {
    to = given;
    return caf::error{};
  };
}

taker names(std::vector<std::string>& to) {
  return [&to](const std::string& given) {
    for (size_t begin = 0; begin <= given.size();) {
      const auto end = std::min(given.find(',', begin), given.size());
      if (end > begin)
        to.push_back(given.substr(begin, end - begin));
      begin = end + 1;
    }
    return caf::error{};
  };
}

std::map<std::string, taker> takers(options& o) {
  auto& scene = o.scene;
  return {{"--rtt", text(o.round_trips)},
          {"--prices", text(o.prices)},
          {"--egress", number("--egress", 0.0, 1e6, o.egress_usd_per_gb)},
          {"--storage", number("--storage", 0.0, 1e6, o.storage_usd_per_gb_month)},
          {"--storage-times", number("--storage-times", 0.0, 1e6, o.storage_times)},
          {"--limit", number<uint64_t>("--limit", 1, 4'000'000'000, o.limit)},
          {"--seed", number<uint64_t>("--seed", 0, UINT64_MAX, o.synthetic.seed)},
          {"--reads", number<uint64_t>("--reads", 2, 10'000'000, o.synthetic.reads)},
          {"--report", text(o.report)},
          {"--policy", names(o.policies)},
          {"--regions", names(scene.regions)},
          {"--origin", text(scene.origin)},
          {"--warm-up", number("--warm-up", 0.0, 0.99, scene.warm_up)},
          {"--min-copies", number<size_t>("--min-copies", 1, 16, scene.min_copies)},
          {"--factor", number<size_t>("--factor", 1, 16, scene.factor)},
          {"--value-bytes", number<uint64_t>("--value-bytes", 1, 64u << 20, scene.value_bytes)},
          {"--local-ms", number("--local-ms", 0.0, 1e4, scene.local_ms)},
          {"--usd-per-ms", number("--usd-per-ms", 0.0, 1.0, scene.usd_per_ms)}};
}

} // namespace

expected<options> parse_options(const std::vector<std::string>& arguments) {
  options result;
  const auto known = takers(result);
  for (size_t k = 0; k < arguments.size(); ++k) {
    const auto& argument = arguments[k];
    if (asks_for_help(argument)) {
      result.help = true;
      return result;
    }
    if (argument == "--json") {
      result.json = true;
      continue;
    }
    const auto name = argument.substr(0, argument.find('='));
    if (auto option = known.find(name); option != known.end()) {
      const bool inside = name.size() < argument.size();
      if (!inside && k + 1 == arguments.size())
        return refuse(name + " needs a value");
      if (auto wrong = option->second(inside ? argument.substr(name.size() + 1) : arguments[++k]))
        return wrong;
    } else if (argument.starts_with('-') && argument.size() > 1) {
      return refuse("there is no option " + argument);
    } else if (!result.trace.empty()) {
      return refuse("there is more than one trace: " + result.trace + " and " + argument);
    } else {
      result.trace = argument;
    }
  }
  if (result.scene.factor < result.scene.min_copies)
    result.scene.factor = result.scene.min_copies;
  return result;
}

std::string help_text() {
  std::string policies;
  for (const auto& known : known_policies())
    policies += fmt::format("  {:<11} {}\n", known.name, known.summary);
  return R"(usage: gnomon replay [TRACE] [OPTIONS]

Plays the reads of TRACE in virtual time to several policies for copies, and says for each how many reads a local copy
would have answered, how long readers would have waited, and what copies, traffic and waiting would have cost.
Nothing is started and nothing is sent. TRACE is CSV with the columns t,user,item and perhaps region, JSON, or an
access log; plain or gzip. Without TRACE it is the synthetic day of ./dev run, whose items are also updated.
docs/economy.md explains the table.

  --regions A,B,...     the regions of the cluster (default: those that the trace names); readers of a cloud region that
                        is not among them go to the nearest, readers without one are spread by a hash of their address
  --origin REGION       the region that has a copy of everything (default: the one with the most reads)
  --rtt FILE            round trips: lines from,to,ms; other pairs are estimated from where cloud regions are
  --prices FILE         region,storage $ per GB-month,$ per GB sent to other regions (default: configs/prices.csv)
  --egress X, --storage X   the same price for every region, in place of the file's
  --storage-times X     storage X times as dear
  --usd-per-ms X        what a millisecond of waiting is worth for one read (default 1e-8)
  --value-bytes N       size of every item (default: log-normal, median 64 KiB)
  --local-ms X          time of a read that a local copy answers (default 1)
  --warm-up SHARE       share of the reads that are played but not counted (default 0.5)
  --min-copies N        durable copies that stay: the origin and the regions next to it (default 1)
  --factor N            copies that an item gets when it comes to be (default 1)
  --policy NAME,...     what to play; may be given again
  --limit N             the first N lines only
  --seed N, --reads N   the synthetic day's seed (1) and number of reads (8000)
  --report FILE         write a page for a browser to FILE: charts, a map, and the items whose copies earned most
  --json                a list of objects in place of the table

Policies:
)" + policies
         + R"(The clairvoyant knows when each copy is read next. It is always played, for comparison: nobody can do better.

  gnomon replay access.log --regions us-east-1,eu-central-1,ap-northeast-1
  gnomon replay reads.csv.gz --origin sa-east-1 --policy ttl-24h --policy full --json
)";
}

} // namespace gnomon::virtual_replay
