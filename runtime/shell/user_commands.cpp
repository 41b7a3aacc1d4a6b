#include "runtime/base/rounded.hpp"
#include "runtime/shell/command.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json;

constexpr size_t most_reported = 1000;

int predict(session_context& context, const arguments& args) {
  uint32_t limit = 20;
  if (args.has("--limit"))
    limit = static_cast<uint32_t>(parse_count(args.get("--limit"), "--limit", 1, 20));
  auto found = context.wait(context.node().predict_later(args.positional[0], limit, args.has("--repeats")));
  if (context.json) {
    json items = json::array();
    for (auto& i : found.items)
      items.push_back({{"id", i.id},
                       {"confidence", rounded_figure(i.confidence)},
                       {"worth_copying", rounded_figure(i.worth_copying)},
                       {"holders", i.holders},
                       {"regions", i.regions}});
    context.print({{"user", found.user},
                   {"served_by", found.served_by},
                   {"model", found.model},
                   {"items", items},
                   {"repeats_left_out", found.repeats_left_out}});
    return done;
  }
  table t{{">CONFIDENCE", ">WORTH COPYING", "ID", "HELD BY", "WOULD GO TO"}};
  for (auto& i : found.items)
    t.row({fmt::format("{:.3f}", i.confidence),
           fmt::format("{:.3f}", i.worth_copying),
           printable(i.id),
           fmt::format("{}", fmt::join(i.holders, ", ")),
           {fmt::format("{}", fmt::join(i.regions, ", ")), style::good}});
  t.print(context.to);
  if (found.items.empty() && found.repeats_left_out > 0)
    context.to.err << "all that is likely was read just now; --repeats shows it\n";
  return done;
}

int forget(session_context& context, const arguments& args) {
  auto regions = context.wait(context.node().forget_later(args.positional[0]));
  if (context.json)
    context.print({{"user", args.positional[0]}, {"regions", regions}});
  else
    context.to.out << fmt::format("forgotten; {} region{} knew the user\n", regions, regions == 1 ? "" : "s");
  return done;
}

int report(session_context& context, const arguments& args) {
  auto count = args.has("--count") ? parse_count(args.get("--count"), "--count", 1, 1'000'000) : 1;
  std::vector<reported_read> reads;
  for (auto& id : args.positional)
    reads.push_back({id, args.get("--user"), static_cast<uint32_t>(count)});
  auto passed_on = context.wait(context.node().report_reads_later(reads));
  if (context.json)
    context.print(json{{"reads", passed_on}});
  else
    context.to.out << fmt::format("reported {} read{}\n", human_count(passed_on), passed_on == 1 ? "" : "s");
  return done;
}

command report_command() {
  return {
      .name = "report",
      .synopsis = "ID...",
      .summary = "say that items were read from a cache of an application",
      .details =
          R"(  So predictions and copies take account of reads in the node's region that the node has not seen. Each
  command counts: do not repeat it.

  report news/1 news/2 --user ann
)",
      .options = {{"--user", "NAME", "who read them"}, {"--count", "N", "how often each was read (default 1)"}},
      .least = 1,
      .most = most_reported,
      .offers = std::vector<offer>(most_reported, offer::ids),
      .run = report,
  };
}

command predict_command() {
  return {
      .name = "predict",
      .synopsis = "USER",
      .summary = "what a user will probably read next",
      .details =
          R"(  CONFIDENCE is the probability that the user reads the item next, WORTH COPYING that it is read within the
  next ten reads and six hours. What is among the user's last ten reads is left out.
)",
      .options = {{"--limit", "N", "the most items (default 20)"}, {"--repeats", "", "also what was just read"}},
      .least = 1,
      .most = 1,
      .long_answer = true,
      .run = predict,
  };
}

command forget_command() {
  return {
      .name = "forget",
      .synopsis = "USER",
      .summary = "forget all that was learned from a user's reads, everywhere",
      .details = R"(  So that nothing is learned from then on: policy set user USER '{"learn": false}'
)",
      .least = 1,
      .most = 1,
      .run = forget,
  };
}

} // namespace

std::vector<command> user_commands() {
  return {predict_command(), forget_command(), report_command()};
}

} // namespace gnomon::shell
