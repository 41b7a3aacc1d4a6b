#pragma once

#include "runtime/base/error.hpp"

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace gnomon::replay {

/// One program that this process started. The destructor kills and reaps it if it still runs. The program also gets
/// SIGTERM when this process dies. It does not get the terminal's Ctrl-C, which is for this process. Not thread-safe.
class process {
public:
  /// Starts `command` (program, then arguments) with its output appended to `log`. Errors: store_failed (log, fork),
  /// not_found (no such program).
  static expected<std::unique_ptr<process>> start(const std::vector<std::string>& command,
                                                  const std::filesystem::path& log);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  pid_t pid() const {
    return pid_;
  }
  /// False once it has ended; `ending()` then says how.
  bool running();
  /// "exit status 1", "killed by signal 9 (Killed)"; empty while it runs.
  const std::string& ending() const {
    return ending_;
  }
  /// Asks it to stop (SIGTERM).
  void ask_to_stop();
  /// Ends it at once (SIGKILL) and reaps it.
  void kill();

private:
  explicit process(pid_t pid) : pid_(pid) {}
  void reap(int options);

  pid_t pid_;
  bool reaped_ = false;
  std::string ending_;
};

/// The last lines of a text file, at most `count` of them and 16 KiB.
std::string last_lines(const std::filesystem::path& file, size_t count);

/// Finds `count` different TCP ports of 127.0.0.1 on which nobody listens now. Errors: unavailable.
expected<std::vector<uint16_t>> free_ports(size_t count);

} // namespace gnomon::replay
