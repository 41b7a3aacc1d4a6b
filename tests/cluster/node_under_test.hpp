#pragma once

#include "tests/support/http_get.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gnomon::test {

using namespace std::chrono_literals;

/// True as soon as `condition` is; false when it is not within `bound`.
template <class F>
bool within(std::chrono::milliseconds bound, F condition) {
  auto deadline = std::chrono::steady_clock::now() + bound;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

/// A gnomond process of its own, killed with the object.
class node_under_test {
public:
  node_under_test(std::string name, std::string region, std::string directory, uint16_t tunnel_port = free_port())
      : tunnel_port_(tunnel_port), directory_(std::move(directory)), name_(std::move(name)),
        region_(std::move(region)) {}
  ~node_under_test() {
    kill();
  }
  node_under_test(const node_under_test&) = delete;
  node_under_test& operator=(const node_under_test&) = delete;

  /// "SECTION.KEY=VALUE" for every later start.
  node_under_test& set(std::string setting) {
    settings_.push_back(std::move(setting));
    return *this;
  }
  /// A file that SIGHUP reads again. It says what is in [cluster] beside the name and the seeds.
  node_under_test& config_file(std::string file) {
    file_ = std::move(file);
    return *this;
  }
  node_under_test& seed(const node_under_test& other) {
    return set("cluster.seeds=[\"127.0.0.1:" + std::to_string(other.tunnel_port_) + "\"]");
  }

  /// Without a superuser's rights, which a read-only directory would not stop.
  node_under_test& unprivileged() {
    unprivileged_ = true;
    return *this;
  }

  /// NAME=VALUE in the environment of every later start.
  node_under_test& environment(std::string name, std::string value) {
    environment_.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  /// Starts the process; does not wait for anything. Standard error goes to `log_file()`.
  void start() {
    std::ofstream{log_file(), std::ios::trunc};
    auto args = arguments();
    std::vector<char*> argv;
    for (auto& arg : args)
      argv.push_back(arg.data());
    argv.push_back(nullptr);
    status_.reset();
    pid_ = ::fork();
    if (pid_ != 0)
      return;
    auto log = ::open(log_file().c_str(), O_WRONLY | O_APPEND);
    ::dup2(log, 2);
    for (const auto& [name, value] : environment_)
      ::setenv(name.c_str(), value.c_str(), 1);
    auto program = ::open(GNOMOND, O_RDONLY | O_CLOEXEC); // may lie where only root can go
    if (unprivileged_ && ::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0))
      ::_exit(126);
    ::fexecve(program, argv.data(), environ);
    ::_exit(127);
  }

  /// Starts and waits until it listens; false when it ended or does not listen within the bound.
  bool start_and_wait(std::chrono::milliseconds bound = 30s) {
    start();
    return within(bound, [&] { return ended() || listening(); }) && !ended();
  }

  bool listening() const {
    return log().find("gnomond listening") != std::string::npos;
  }

  /// True when the process has ended; then `exit_status` is there.
  bool ended() {
    int status = 0;
    if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      pid_ = 0;
    }
    return pid_ == 0;
  }
  /// The exit status once it has ended; -1 when it has not within the bound.
  int exit_status(std::chrono::milliseconds bound) {
    return within(bound, [&] { return ended(); }) ? status_.value_or(-1) : -1;
  }

  void signal(int number) {
    if (pid_ > 0)
      ::kill(pid_, number);
  }
  pid_t pid() const {
    return pid_;
  }
  void kill() {
    signal(SIGKILL);
    exit_status(10s);
  }
  int terminate(std::chrono::milliseconds bound = 15s) {
    signal(SIGTERM);
    return exit_status(bound);
  }

  std::string log_file() const {
    return directory_ + "/" + name_ + "-" + std::to_string(tunnel_port_) + ".log";
  }
  std::string log() const {
    std::ifstream in{log_file()};
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }
  std::string data_dir() const {
    return directory_ + "/" + name_ + "-" + std::to_string(tunnel_port_);
  }
  /// From its own log, since it takes a free one.
  uint16_t http_port() const {
    auto text = log();
    auto at = text.find("http=127.0.0.1:");
    return at == std::string::npos ? 0 : static_cast<uint16_t>(std::atoi(text.c_str() + at + 15));
  }
  pid_t process() const {
    return pid_;
  }
  uint16_t tunnel_port() const {
    return tunnel_port_;
  }

  http_answer put(const std::string& id, const std::string& value, const std::string& fields = {}) {
    return http(http_port(), "PUT", "/data/" + id, value, fields);
  }
  http_answer get(const std::string& target) {
    return http(http_port(), "GET", target);
  }

private:
  std::vector<std::string> arguments() const {
    std::vector<std::string> args{GNOMOND};
    auto own = {"cluster.name=test", "node.latitude=1", "node.longitude=2", "listen.http=127.0.0.1:0",
                "http.threads=1"};
    auto add = [&](const std::string& setting) {
      args.push_back("--set");
      args.push_back(setting);
    };
    for (auto setting : own)
      add(setting);
    if (file_.empty())
      add("cluster.insecure=true");
    else
      args.push_back("--config-file=" + file_);
    add("node.name=" + name_);
    add("node.region=" + region_);
    add("node.data_dir=" + data_dir());
    add("listen.tunnel=127.0.0.1:" + std::to_string(tunnel_port_));
    for (const auto& setting : settings_)
      add(setting);
    return args;
  }

  uint16_t tunnel_port_;
  std::string directory_;
  std::string name_;
  std::string region_;
  std::vector<std::string> settings_;
  std::vector<std::pair<std::string, std::string>> environment_;
  std::string file_;
  bool unprivileged_ = false;
  pid_t pid_ = 0;
  std::optional<int> status_;
};

} // namespace gnomon::test
