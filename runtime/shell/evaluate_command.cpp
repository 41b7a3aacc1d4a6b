#include "runtime/base/process.hpp"
#include "runtime/shell/command.hpp"

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>

namespace gnomon::shell {

namespace {

namespace fs = std::filesystem;

/// The program beside this one; by its bare name, for the search path to find, when it is not there.
std::string evaluator() {
  std::error_code failed;
  auto beside = own_folder() / "gnomon-evaluate";
  return fs::exists(beside, failed) ? beside.string() : "gnomon-evaluate";
}

/// Training brings Dlib and a BLAS along, and wants to be started with its own environment: a program of its own, which
/// gets `words`, then the options.
int run_evaluator(session_context& context, std::vector<std::string> words, const arguments& args) {
  words.insert(words.begin(), evaluator());
  for (const auto& [name, value] : args.options) {
    words.push_back(name);
    if (!value.empty())
      words.push_back(value);
  }
  if (context.json && !args.has("--json"))
    words.emplace_back("--json");
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  context.to.out.flush();
  pid_t child = 0;
  if (auto fault = ::posix_spawnp(&child, words[0].c_str(), nullptr, nullptr, argv.data(), environ); fault != 0)
    throw std::runtime_error{
        fmt::format("cannot start {}: {}; it is installed beside gnomon", words[0], std::strerror(fault))};
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : failed;
}

int evaluate(session_context& context, const arguments& args) {
  return run_evaluator(context, {}, args);
}

int replay(session_context& context, const arguments& args) {
  std::vector<std::string> words{"replay"};
  words.insert(words.end(), args.positional.begin(), args.positional.end());
  return run_evaluator(context, std::move(words), args);
}

command replay_command() {
  return {
      .name = "replay",
      .synopsis = "[TRACE]",
      .summary = "what copies would have gained and cost on a trace, policy by policy",
      .details =
          R"(  Needs no node, and plays in virtual time: a million reads in seconds. TRACE is CSV with the columns t, user,
  item and perhaps region, JSON, or an access log; plain or gzip. Without TRACE a synthetic day is played. Each row of
  the table is a policy: how many reads a local copy answers, how long readers wait, how much is moved and stored, and
  what it costs.
  'gnomon-evaluate replay --help' lists the policies; docs/economy.md explains the table.

  replay access.log --regions us-east-1,eu-central-1,ap-northeast-1
  replay reads.csv.gz --origin sa-east-1 --policy ttl-24h --policy full --json
)",
      .options = {{"--regions", "A,B,...", "the regions of the cluster (default: those that the trace names)", true},
                  {"--origin", "REGION", "region that has a copy of everything (default: the one with the most reads)"},
                  {"--policy", "NAME", "plays this policy: origin, ttl-TIME, break-even, no-expiry, everywhere, ...",
                   true},
                  {"--rtt", "FILE", "round trips: lines from,to,ms"},
                  {"--prices", "FILE", "region, storage $ per GB-month, $ per GB sent (default: configs/prices.csv)"},
                  {"--egress", "USD", "the same price for every region, per GB sent"},
                  {"--storage", "USD", "the same price for every region, per GB-month"},
                  {"--storage-times", "X", "storage X times as dear"},
                  {"--usd-per-ms", "USD", "what a millisecond of waiting is worth for one read"},
                  {"--value-bytes", "N", "size of every item (default: log-normal, median 64 KiB)"},
                  {"--local-ms", "MS", "time of a read that a local copy answers (default 1)"},
                  {"--warm-up", "SHARE", "share of the reads that are not counted (default 0.5)"},
                  {"--min-copies", "N", "durable copies that stay (default 1)"},
                  {"--factor", "N", "copies that an item gets when it comes to be (default 1)"},
                  {"--report", "FILE", "also writes a page for a browser: charts, a map, the items that earned most"},
                  {"--limit", "N", "the first N lines only"}},
      .least = 0,
      .most = 1,
      .offers = {offer::files},
      .run = replay,
  };
}

command evaluate_command() {
  return {
      .name = "evaluate",
      .synopsis = "",
      .summary = "measure how good the predictions are on a file of one's own",
      .details =
          R"(  Needs no node. A file of sessions has one session a line: item ids in order. A trace is CSV with the columns t,
  user, item and perhaps region, or JSON, or an access log. Both may be gzipped. 'gnomon-evaluate' without arguments
  lists the settings of the training.

  evaluate --sequences sessions.txt.gz --test test.txt
  evaluate --trace trace.csv.gz --split 0.8
)",
      .options = {{"--sequences", "FILE", "what comes next in a session: trains on these"},
                  {"--test", "FILE", "tests on these: item ids, a tab, the item that followed"},
                  {"--hold-back", "SHARE", "without --test: tests on the last sessions (default 0.1)"},
                  {"--trace", "FILE", "what users read next, and which regions"},
                  {"--demand", "FILE", "which regions read an item next, alone: takes a minute"},
                  {"--split", "SHARE", "trains on this share of the trace, predicts the rest"},
                  {"--origin", "REGION", "region that has a copy of everything (default: the one with the most reads)"},
                  {"--lease", "HOURS", "of --demand: how long a copy stays after a read (default 30)"},
                  {"--waste", "SHARE", "of --demand: how many of the copies made ahead may go unread (default 0.5)"},
                  {"--epochs", "N", "passes of the sequence network over the data; 0: no network"},
                  {"--units", "N", "size of the network's state"},
                  {"--contexts", "N", "predictions the ranker learns from"},
                  {"--probes", "N", "clusters of items the network looks at for candidates; 0: all"}},
      .run = evaluate,
  };
}

} // namespace

std::vector<command> evaluate_commands() {
  return {evaluate_command(), replay_command()};
}

} // namespace gnomon::shell
