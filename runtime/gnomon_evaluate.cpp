// gnomon-evaluate: how good are the guesses about what users read next?

#include "gnomon/version.hpp"
#include "learning/base/blas_kernel.hpp"
#include "learning/evaluation/demand_evaluation.hpp"
#include "learning/evaluation/evaluation.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/base/printable.hpp"
#include "runtime/base/process.hpp"
#include "runtime/virtual_replay/command.hpp"

#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <functional>
#include <map>
#include <unistd.h>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

constexpr auto program = "gnomon-evaluate";
constexpr const char* usage = R"(usage: gnomon-evaluate --sequences TRAIN [--test TEST | --hold-back SHARE] [options]
       gnomon-evaluate --trace FILE [--split SHARE] [options]
       gnomon-evaluate --demand FILE [--split SHARE] [--origin REGION] [--lease HOURS] [--waste SHARE] [--json]
       gnomon-evaluate replay TRACE [options]      (gnomon-evaluate replay --help explains)

  --sequences TRAIN   sessions, one a line: item ids in order
  --test TEST         lines of item ids, a tab, and the item that followed
  --hold-back SHARE   without --test: test on the last sessions (default 0.1)
  --trace FILE        what users read next, and where: CSV with columns t, user, item and perhaps region, JSON as the
                      node takes it, or an access log
  --demand FILE       only where items are read next: the same
  --split SHARE       train on this share of the trace, predict the rest (default 0.8; demand 0.5)
  --origin REGION     the region that has a copy of everything (default: the one with the most reads)
  --lease HOURS       how long a copy stays after a read (default 30)
  --waste SHARE       of the copies made ahead, how many may go unread: steers the threshold (default 0.5)
  --epochs N          passes of the sequence network over the data (default 5; 0: no network)
  --units N           size of the network's state (default 64)
  --contexts N        predictions the ranker learns from (default 30000)
  --probes N          clusters of items the network looks at for candidates (default 12; 0: all)
  --json              print JSON

Files may be gzipped.
)";

struct options {
  std::string sequences, test, trace, demand;
  double split = 0;
  bool json = false;
  evaluation_config config;
};

template <class T>
bool parse(std::string_view text, T& value) {
  auto number = parse_number<T>(text);
  value = number.value_or(value);
  return number.has_value();
}

bool parse(int argc, char** argv, options& o) {
  auto& training = o.config.training;
  const std::map<std::string_view, std::function<bool(std::string_view)>> known{
      {"--sequences", [&](auto v) { return o.sequences = v, true; }},
      {"--test", [&](auto v) { return o.test = v, true; }},
      {"--trace", [&](auto v) { return o.trace = v, true; }},
      {"--demand", [&](auto v) { return o.demand = v, true; }},
      {"--origin", [&](auto v) { return o.config.demand.origin = v, true; }},
      {"--waste", [&](auto v) { return parse(v, o.config.demand.waste); }},
      {"--lease",
       [&](auto v) {
         double hours = 0;
         const bool good = parse(v, hours) && hours > 0 && hours < 1e5;
         o.config.demand.training.counts.copies_last = static_cast<uint32_t>(hours * 3600);
         return good;
       }},
      {"--contexts", [&](auto v) { return parse(v, training.ranker_contexts); }},
      {"--hold-back", [&](auto v) { return parse(v, o.config.hold_back); }},
      {"--split", [&](auto v) { return parse(v, o.split); }},
      {"--epochs", [&](auto v) { return parse(v, training.network.epochs); }},
      {"--units", [&](auto v) { return parse(v, training.network.units); }},
      {"--probes", [&](auto v) { return parse(v, training.candidates.probes); }},
  };
  for (int k = 1; k < argc; ++k) {
    if (std::string_view{argv[k]} == "--json") {
      o.json = true;
      continue;
    }
    auto option = known.find(argv[k]);
    if (option == known.end() || k + 1 == argc || !option->second(argv[k + 1]))
      return false;
    ++k;
  }
  training.use_network = training.network.epochs > 0;
  if (o.split == 0)
    o.split = o.demand.empty() ? 0.8 : 0.5;
  return !o.sequences.empty() + !o.trace.empty() + !o.demand.empty() == 1;
}

bool show_progress(const training_progress& r) {
  if (isatty(STDERR_FILENO) != 0)
    std::fputs(fmt::format("\rtraining: {:3.0f}%, loss {:.3f}, {:.0f} s left   {}", 100 * r.share, r.loss,
                           r.seconds_left, r.share >= 1 ? "\n" : "")
                   .c_str(),
               stderr);
  return true;
}

template <class Evaluation>
int print(const expected<Evaluation>& result, bool json) {
  if (!result) {
    complain(program, sentence_of(result.error()));
    return 1;
  }
  print_text(printable(json ? to_json(*result) : to_text(*result), "\n") + '\n');
  return finish_output(program, 0);
}

} // namespace

int main(int argc, char** argv) {
  begin_process();
  choose_blas_kernel(argv, environ);
  if (auto warning = blas_warning(); !warning.empty())
    complain(program, warning);
  if (argc > 1 && std::string_view{argv[1]} == "replay")
    return virtual_replay::replay_command({argv + 2, argv + argc});
  if (argc == 2 && asks_for_help(argv[1])) {
    print_text(usage);
    return finish_output(program, 0);
  }
  if (argc == 2 && asks_for_version(argv[1]))
    return print_version(program, version);
  options o;
  if (!parse(argc, argv, o)) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (!o.demand.empty())
    return print(evaluate_demand(o.demand, o.split, o.config.demand, show_progress), o.json);
  if (!o.trace.empty())
    return print(evaluate_trace(o.trace, o.split, o.config, show_progress), o.json);
  return print(evaluate_sequences(o.sequences, o.test, o.config, show_progress), o.json);
}
