// The daemon: one node, until a signal ends it.
#include "gnomon/node.hpp"
#include "gnomon/version.hpp"
#include "learning/blas_kernel.hpp"
#include "runtime/base/log.hpp"
#include "runtime/config.hpp"

#include <spdlog/fmt/fmt.h>

#include <csignal>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace gnomon;

constexpr auto usage = R"(usage: gnomond --config-file=FILE [--set SECTION.KEY=VALUE]... [--check]

Runs one Gnomon node until SIGTERM or SIGINT. SIGHUP reopens the log and reloads what can change at run time.

  --config-file=FILE         TOML; configs/default.toml documents every key
  --set SECTION.KEY=VALUE    wins over the file; may be repeated: --set log.level=debug --set placement.factor=2
  --check                    only read and check the config; exit status 0 when it is sound
  --restored                 the data directory comes from a backup: take a new incarnation (--set node.restored=true)
  --version
  --help

Exit status: 0 after a signal, 1 when the node could not start or gave up, 2 for a wrong command line.
)";

struct command_line {
  std::string config_file;
  std::vector<std::string> settings;
  bool check = false;
};

[[noreturn]] void exit_with_usage(const std::string& problem) {
  fmt::print(stderr, "gnomond: {}; gnomond --help explains\n", problem);
  std::exit(2);
}

command_line parse(int argc, char** argv) {
  command_line line;
  for (int i = 1; i < argc; ++i) {
    std::string arg = argv[i];
    auto value_of = [&](const std::string& option) -> std::string {
      if (arg.size() > option.size())
        return arg.substr(option.size() + 1);
      if (++i == argc)
        exit_with_usage(option + " needs a value");
      return argv[i];
    };
    auto is = [&](const std::string& option) { return arg == option || arg.starts_with(option + "="); };
    if (arg == "--help" || arg == "-h") {
      fmt::print("{}", usage);
      std::exit(0);
    } else if (arg == "--version") {
      fmt::print("gnomond {}\n", gnomon::version);
      std::exit(0);
    } else if (arg == "--check") {
      line.check = true;
    } else if (arg == "--restored") {
      line.settings.push_back("node.restored=true");
    } else if (is("--config-file")) {
      line.config_file = value_of("--config-file");
    } else if (is("--set")) {
      line.settings.push_back(value_of("--set"));
    } else {
      exit_with_usage("no option called " + arg);
    }
  }
  return line;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/// Blocks the signals that `serve` waits for, in this thread and all that it starts.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (auto s : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

/// A disk access that never ends cannot be stopped by anybody; the process can.
void end_process_after(std::chrono::milliseconds bound) {
  std::thread{[bound] {
    std::this_thread::sleep_for(bound);
    log::error("gnomond", "killed-itself", {{"reason", "still not stopped"}});
    _exit(1);
  }}.detach();
}

void reload(node& running) {
  try {
    running.reload();
  } catch (const failure& problem) {
    log::error("gnomond", "reload-refused", {{"reason", problem.what()}});
  }
}

int serve(node& running, const sigset_t& signals, std::chrono::milliseconds stop_within) {
  constexpr timespec tick{0, 200'000'000};
  for (;;) {
    auto signal = sigtimedwait(&signals, nullptr, &tick);
    if (signal == SIGHUP) {
      reload(running);
    } else if (signal > 0) {
      log::info("gnomond", "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      end_process_after(stop_within + std::chrono::seconds{2});
      running.stop();
      log::info("gnomond", "stopped");
      return 0;
    } else if (!running.running()) {
      log::error("gnomond", "gave-up", {{"reason", "parts of this node failed too often; the lines above say which"}});
      end_process_after(stop_within + std::chrono::seconds{2});
      running.stop();
      return 1;
    }
  }
}

} // namespace

int main(int argc, char** argv) {
  learning::choose_blas_kernel(argv); // before anything else: it may start the program anew
  auto line = parse(argc, argv);
  if (line.config_file.empty() && line.settings.empty())
    exit_with_usage("no config given");
  auto signals = block_signals();
  auto config = load_config(line.config_file, line.settings);
  if (!config) {
    fmt::print(stderr, "gnomond: {}\n", sentence_of(config.error()));
    return 1;
  }
  if (line.check)
    return 0;
  if (!log::start(config->log_file, config->log_level)) {
    fmt::print(stderr, "gnomond: log.file = \"{}\" cannot be opened for writing\n", config->log_file);
    return 1;
  }
  raise_descriptor_limit();
  try {
    auto running = node::from_file(line.config_file, line.settings);
    running.start();
    log::info("gnomond", "listening",
              {{"http", running.http_address()},
               {"tunnel", running.tunnel_address()},
               {"socket", running.socket().string()}});
    return serve(running, signals, config->stop_within);
  } catch (const failure& problem) {
    if (!config->log_file.empty())
      log::error("gnomond", "not-started", {{"reason", problem.what()}});
    fmt::print(stderr, "gnomond: {}\n", problem.what());
    return 1;
  }
}
