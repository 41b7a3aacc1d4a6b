// The daemon: one node, until a signal ends it.
#include "gnomon/node.hpp"
#include "gnomon/version.hpp"
#include "learning/base/blas_kernel.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/process.hpp"
#include "runtime/node/start_check.hpp"

#include <spdlog/fmt/fmt.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <future>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

extern "C" {
/// jemalloc reads it before `main`: how long it keeps what is free.
const char* malloc_conf = "dirty_decay_ms:1000,muzzy_decay_ms:0";
/// jemalloc's; null with another allocator.
[[gnu::weak]] int mallctl(const char* name, void* old, size_t* old_size, void* value, size_t size);
}

namespace {

using namespace gnomon;

constexpr auto program = "gnomond";
constexpr auto usage = R"(usage: gnomond [--config-file=]FILE [--set SECTION.KEY=VALUE]... [--check]

Runs one Gnomon node until SIGTERM or SIGINT. SIGHUP reopens the log and reloads what can change at run time.

  --config-file=FILE         TOML; {} documents every key
  --set SECTION.KEY=VALUE    wins over the file; may be repeated: --set log.level=debug --set placement.factor=2
  --check                    only check the config, and whether a node that has it could start here; exit status 0 when
                             it could. Whether another process has its ports or its store is not looked at
  --restored                 the data directory comes from a backup: take a new incarnation (--set node.restored=true)
  --version, -V
  --help, -h

Exit status: 0 after a signal, 1 when the node could not start or gave up, 2 for a wrong command line.
)";

struct command_line {
  std::string config_file;
  std::vector<std::string> settings;
  bool check = false;
};

[[noreturn]] void exit_with_usage(const std::string& problem) {
  complain(program, problem + "; gnomond --help explains");
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
    if (asks_for_help(arg)) {
      const auto documented = find_config("default.toml");
      print_text(fmt::format(usage, documented.empty() ? "configs/default.toml of the sources" : documented.string()));
      std::exit(finish_output(program, 0));
    } else if (asks_for_version(arg)) {
      std::exit(print_version(program, version));
    } else if (arg == "--check") {
      line.check = true;
    } else if (arg == "--restored") {
      line.settings.push_back("node.restored=true");
    } else if (is("--config-file")) {
      line.config_file = value_of("--config-file");
    } else if (is("--set")) {
      line.settings.push_back(value_of("--set"));
    } else if (!arg.starts_with('-') && line.config_file.empty()) {
      line.config_file = arg;
    } else {
      exit_with_usage("there is no option " + arg);
    }
  }
  return line;
}

/// What it makes belongs to its user alone, and the user may whatever was inherited.
void set_umask() {
  ::umask(0077);
}

/// Blocks the signals that `serve` waits for, in this thread and all that it starts.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (auto s : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // The parent process may have ignored signals, and then they would never arrive. SIGINT may stay ignored, as shells
  // do for background jobs.
  for (auto s : {SIGTERM, SIGHUP})
    std::signal(s, SIG_DFL);
  return signals;
}

/// A disk access that never ends cannot be stopped by anybody, nor a part that waits for a thread which the system did
/// not give; the process can. The thread for that begins before all parts, while there is one to be had.
class last_resort {
public:
  last_resort() {
    std::thread{log::bound([told = bound_.get_future()]() mutable {
      told.wait();
      try {
        std::this_thread::sleep_for(told.get());
      } catch (const std::future_error&) {
        return; // all has ended in time
      }
      log::error("gnomond", "killed-itself", {{"reason", "still not stopped"}});
      _exit(1);
    })}.detach();
  }
  void end_process_after(std::chrono::milliseconds bound) {
    bound_.set_value(bound);
  }

private:
  std::promise<std::chrono::milliseconds> bound_;
};

/// Says how things stand to the service manager that started this process, as sd_notify(3) does; nothing without one.
void tell_manager(const std::string& state) {
  const auto* given = std::getenv("NOTIFY_SOCKET");
  const std::string path = given ? given : "";
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof to.sun_path || (path.front() != '/' && path.front() != '@'))
    return;
  path.copy(to.sun_path, path.size());
  if (path.front() == '@') // in the abstract namespace
    to.sun_path[0] = '\0';
  const auto line = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (line < 0)
    return;
  ::sendto(line, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size()));
  ::close(line);
}

void reload(node& running) {
  const auto since_boot = std::chrono::steady_clock::now().time_since_epoch(); // systemd tells reloads apart by it
  tell_manager(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                           std::chrono::duration_cast<std::chrono::microseconds>(since_boot).count()));
  try {
    running.reload();
  } catch (const failure& problem) {
    log::error("gnomond", "reload-refused", {{"reason", problem.what()}});
  }
  tell_manager("READY=1");
}

int serve(node& running, const sigset_t& signals, last_resort& end, std::chrono::milliseconds bound) {
  constexpr timespec tick{0, 200'000'000};
  for (;;) {
    auto signal = sigtimedwait(&signals, nullptr, &tick);
    if (signal == SIGHUP) {
      reload(running);
    } else if (signal > 0) {
      log::info("gnomond", "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      tell_manager("STOPPING=1");
      end.end_process_after(bound);
      running.stop();
      log::info("gnomond", "stopped");
      return 0;
    } else if (!running.running()) {
      log::error("gnomond", "gave-up", {{"reason", "parts of this node failed too often; the lines above say which"}});
      end.end_process_after(bound);
      running.stop();
      return 1;
    }
  }
}

int refuse(const std::string& sentence) {
  complain(program, sentence);
  return 1;
}

/// Starts a node and serves. What throws is a failure, or that the system gives no more threads or memory.
/// What is free goes back to the system also while nothing allocates. Where threads are short, it is left out.
void give_memory_back() {
  auto on = true;
  if (mallctl != nullptr)
    mallctl("background_thread", nullptr, nullptr, &on, sizeof on);
}

int run(const command_line& line, const node_config& config, const sigset_t& signals) {
  const auto bound = config.stop_within + std::chrono::seconds{2};
  last_resort end;
  auto running = node::from_file(line.config_file, line.settings);
  try {
    running.start();
  } catch (const std::exception& problem) {
    if (!config.log_file.empty())
      log::error("gnomond", "not-started", {{"reason", problem.what()}});
    end.end_process_after(bound);
    return refuse(problem.what());
  }
  log::info("gnomond", "listening",
            {{"http", running.http_address()},
             {"dns", running.dns_address()},
             {"tunnel", running.tunnel_address()},
             {"socket", running.socket().string()}});
  tell_manager(fmt::format("READY=1\nSTATUS=serves region {} at {}", config.region, running.http_address()));
  return serve(running, signals, end, bound);
}

} // namespace

int main(int argc, char** argv) {
  begin_process();
  learning::choose_blas_kernel(argv, environ); // where nothing has done so before
  auto line = parse(argc, argv);
  if (line.config_file.empty() && line.settings.empty())
    exit_with_usage("no config given");
  auto signals = block_signals();
  set_umask();
  auto config = load_config(line.config_file, line.settings);
  if (!config)
    return refuse(sentence_of(config.error()));
  if (auto problem = check_start(*config))
    return refuse(sentence_of(problem));
  if (line.check) {
    auto problem = check_databases(*config);
    return problem ? refuse(sentence_of(problem)) : 0;
  }
  auto lines = log::open(config->log_file, config->log_level); // the node takes it over
  if (!lines)
    return refuse(fmt::format("log.file = \"{}\" cannot be opened for writing", config->log_file));
  log::use(lines);
  give_memory_back();
  try {
    return run(line, *config, signals);
  } catch (const std::exception& problem) {
    return refuse(problem.what());
  }
}
