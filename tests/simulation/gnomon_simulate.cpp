// Runs many seeds of the simulation in several processes and says which failed.
#include "tests/simulation/simulation.hpp"

#include "runtime/base/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace gnomon;
using namespace gnomon::simulation;

struct options {
  uint64_t first = 1;
  uint64_t seeds = 100;
  unsigned jobs = 2;
  plan base;
  bool story = false; // the whole story of every failure
  bool log = false;   // what the nodes log
  bool planted = false;
};

constexpr auto usage =
    R"(usage: gnomon-simulate [--seeds N] [--first N] [--jobs N] [--fault NAME | --planted] [--story] [--log]

Runs whole clusters in simulated time, one for each seed, and checks what they promise.
  --seeds N     how many (100)
  --first N     the first seed (1); --first N --seeds 1 replays a failure to the same event
  --jobs N      processes side by side (2)
  --fault NAME  make the nodes make this mistake on purpose: skip_sync, forget_context, ...
  --planted     try every such mistake, each with up to N seeds, until one of them notices it
  --story       print all events of the item that a failure is about, and the faults, not just the last ones
  --log         print what the nodes log
Exits with 1 when a seed failed; with --planted when a mistake was not noticed.
)";

bool parse(int argc, char** argv, options& to) {
  for (int i = 1; i < argc; ++i) {
    std::string_view arg = argv[i];
    auto number = [&](auto& out) {
      if (++i >= argc)
        return false;
      out = static_cast<std::remove_reference_t<decltype(out)>>(std::strtoull(argv[i], nullptr, 10));
      return out > 0;
    };
    auto ok = true;
    if (arg == "--seeds")
      ok = number(to.seeds);
    else if (arg == "--first")
      ok = number(to.first);
    else if (arg == "--jobs")
      ok = number(to.jobs);
    else if (arg == "--story")
      to.story = true;
    else if (arg == "--log")
      to.log = true;
    else if (arg == "--planted")
      to.planted = true;
    else if (arg == "--fault" && i + 1 < argc && fault_from(argv[i + 1]))
      to.base.fault = *fault_from(argv[++i]);
    else
      ok = false;
    if (!ok)
      return false;
  }
  return true;
}

/// The last lines are mostly enough to see what happened.
std::string shortened(const std::string& story, size_t lines) {
  auto from = story.size();
  for (size_t seen = 0; from > 0 && seen <= lines; --from)
    seen += story[from - 1] == '\n';
  return from == 0 ? story : "  ...\n" + story.substr(from + 1);
}

std::string report(uint64_t seed, const outcome& end, bool whole) {
  auto text = fmt::format("seed {} FAILED after {:.3f} s: {}\n  {}: {}\n", seed,
                          static_cast<double>(end.broken->when.count()) / 1e6, end.broken->invariant, end.broken->id,
                          end.broken->sentence);
  return text + (whole ? end.story : shortened(end.story, 40));
}

/// Tries one planted mistake; a line with what noticed it and when.
void try_planted(const options& given, size_t index, FILE* out) {
  auto [name, fault] = all_faults()[index];
  auto p = given.base;
  p.fault = fault;
  for (uint64_t i = 0; i < given.seeds; ++i) {
    p.seed = given.first + i;
    if (auto end = simulate(p); end.broken) {
      auto text = fmt::format("{:28} caught by seed {:3}: {} ({})\n", name, p.seed, end.broken->invariant,
                              end.broken->sentence);
      if (given.story)
        text += end.story;
      std::fprintf(out, "end %lu 0 0 0 0 0 %zu\n%s", static_cast<unsigned long>(p.seed), text.size(), text.c_str());
      std::fflush(out);
      return;
    }
  }
  auto text = fmt::format("{:28} NOT CAUGHT by {} seeds\n", name, given.seeds);
  std::fprintf(out, "end %zu 1 0 0 0 0 %zu\n%s", index, text.size(), text.c_str());
  std::fflush(out);
}

/// What a worker writes for each seed: a line with the seed, failed or not, the counts and the length of the report.
void work(const options& given, unsigned number, FILE* out) {
  if (given.planted) {
    for (size_t i = number; i < all_faults().size(); i += given.jobs)
      try_planted(given, i, out);
    return;
  }
  for (auto seed = given.first + number; seed < given.first + given.seeds; seed += given.jobs) {
    std::fprintf(out, "begin %lu\n", static_cast<unsigned long>(seed));
    std::fflush(out);
    auto p = given.base;
    p.seed = seed;
    auto end = simulate(p);
    auto text = end.broken ? report(seed, end, given.story) : std::string{};
    std::fprintf(out, "end %lu %d %016lx %zu %zu %zu %zu\n", static_cast<unsigned long>(seed), end.broken ? 1 : 0,
                 static_cast<unsigned long>(end.trace), end.acknowledged, end.answered, end.faults, text.size());
    std::fwrite(text.data(), 1, text.size(), out);
    std::fflush(out);
  }
}

struct totals {
  std::vector<uint64_t> failed;
  uint64_t done = 0, acknowledged = 0, answered = 0, faults = 0, trace = 0;
};

/// Reads one worker to its end; what it had begun and not ended has crashed it.
void listen(FILE* in, totals& all) {
  char line[256];
  uint64_t current = 0;
  while (std::fgets(line, sizeof line, in)) {
    unsigned long seed = 0, trace = 0;
    int failed = 0;
    size_t acknowledged = 0, answered = 0, faults = 0, length = 0;
    if (std::sscanf(line, "begin %lu", &seed) == 1) {
      current = seed;
    } else if (std::sscanf(line, "end %lu %d %lx %zu %zu %zu %zu", &seed, &failed, &trace, &acknowledged, &answered,
                           &faults, &length)
               == 7) {
      current = 0;
      ++all.done;
      all.acknowledged += acknowledged;
      all.answered += answered;
      all.faults += faults;
      all.trace = trace;
      std::string text(length, ' ');
      if (length > 0 && std::fread(text.data(), 1, length, in) == length)
        std::cout << text << std::endl;
      if (failed)
        all.failed.push_back(seed);
    }
  }
  if (current != 0) {
    std::cout << "seed " << current << " FAILED: its process died\n";
    all.failed.push_back(current);
  }
}

/// A process that works on its part of the seeds; what it writes comes through the pipe. Null: `errno` says why.
FILE* start_worker(const options& given, unsigned number) {
  int ends[2];
  if (pipe(ends) != 0)
    return nullptr;
  auto child = fork();
  if (child < 0)
    return nullptr;
  if (child == 0) {
    close(ends[0]);
    auto out = fdopen(ends[1], "w");
    work(given, number, out);
    std::fclose(out);
    _exit(0);
  }
  close(ends[1]);
  return fdopen(ends[0], "r");
}

void report(const options& given, totals& all, double seconds) {
  std::cout << fmt::format(
      "{} seeds in {:.1f} s ({:.2f} seeds/s): {} writes acknowledged, {} reads answered, {} faults, "
      "{} seeds failed\n",
      all.done, seconds, static_cast<double>(all.done) / seconds, all.acknowledged, all.answered, all.faults,
      all.failed.size());
  if (given.seeds == 1)
    std::cout << fmt::format("trace {:016x}\n", all.trace);
  if (!all.failed.empty()) {
    std::sort(all.failed.begin(), all.failed.end());
    std::cout << fmt::format("failed: {}\n", fmt::join(all.failed, " "));
  }
}

int run(const options& given) {
  auto started = std::chrono::steady_clock::now();
  std::vector<FILE*> workers;
  for (unsigned i = 0; i < given.jobs; ++i) {
    workers.push_back(start_worker(given, i));
    if (!workers.back())
      return std::perror("cannot start a worker"), 2;
  }
  totals all;
  for (auto worker : workers) {
    listen(worker, all);
    std::fclose(worker);
  }
  while (wait(nullptr) > 0)
    ;
  if (given.planted)
    return all.failed.empty() && all.done == all_faults().size() ? 0 : 1;
  report(given, all, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  return all.failed.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  options given;
  if (!parse(argc, argv, given)) {
    std::cerr << usage;
    return 2;
  }
  log::start(given.log ? "" : "/dev/null", given.log ? "debug" : "error");
  return run(given);
}
