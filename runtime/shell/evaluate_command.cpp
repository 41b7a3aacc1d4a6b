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

/// Training brings Dlib and a BLAS along, and wants to be started with its own environment: a program of its own.
int evaluate(session_context& context, const arguments& args) {
  std::vector<std::string> words{evaluator()};
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

} // namespace

std::vector<command> evaluate_commands() {
  return {
      {"evaluate",
       "",
       "measure how good the predictions are on a file of one's own",
       "  Needs no node. Sessions hold one a line, item ids in order; a trace is CSV with the columns t, user, item\n"
       "  and perhaps region, JSON, or an access log. Both may be gzipped. 'gnomon-evaluate' alone lists the settings "
       "of the training.\n"
       "\n  evaluate --sequences sessions.txt.gz --test test.txt\n  evaluate --trace trace.csv.gz --split 0.8\n",
       {{"--sequences", "FILE", "what comes next in a session: trains on these"},
        {"--test", "FILE", "tests on these: item ids, a tab, the item that followed"},
        {"--hold-back", "SHARE", "without --test: tests on the last sessions (default 0.1)"},
        {"--trace", "FILE", "what users read next, and which regions"},
        {"--demand", "FILE", "which regions read an item next, alone: takes a minute"},
        {"--split", "SHARE", "trains on this share of the trace, predicts the rest"},
        {"--origin", "REGION", "region that has a copy of everything (default: the one with the most reads)"},
        {"--lease", "HOURS", "how long a copy stays after a read (default 30)"},
        {"--waste", "SHARE", "of the copies made ahead, how many may go unread (default 0.5)"},
        {"--epochs", "N", "passes of the sequence network over the data; 0: no network"},
        {"--units", "N", "size of the network's state"},
        {"--contexts", "N", "predictions the ranker learns from"},
        {"--probes", "N", "clusters of items the network looks at for candidates; 0: all"}},
       0,
       0,
       {},
       evaluate}};
}

} // namespace gnomon::shell
