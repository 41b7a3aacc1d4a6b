#pragma once

#include "runtime/shell/output.hpp"

#include <chrono>
#include <string>

namespace gnomon::shell {

/// The progress of long work. `share` is 0 to 1, or negative when the total is unknown.
struct progress_facts {
  uint64_t items = 0;
  uint64_t bytes = 0;
  uint64_t failed = 0;
  double share = -1;
  std::chrono::milliseconds elapsed{0};
};

/// "  12,345 items  3.4 MiB  1,234/s  45%  about 12 s left". Pure.
std::string progress_line(const progress_facts& facts);

/// One line on standard error that is rewritten a few times a second if standard error is a terminal. Otherwise
/// nothing.
class progress {
public:
  explicit progress(const terminal& to) : to_(to) {}
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  void show(progress_facts facts);
  /// Removes the line, so that something else can be written.
  void clear();
  std::chrono::milliseconds elapsed() const;

private:
  using clock = std::chrono::steady_clock;
  const terminal& to_;
  clock::time_point start_ = clock::now();
  clock::time_point next_ = start_;
  bool visible_ = false;
};

} // namespace gnomon::shell
