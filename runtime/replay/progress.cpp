#include "runtime/replay/progress.hpp"

#include "runtime/base/printable.hpp"

#include <unistd.h>

#include <cstdio>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto terminal_rhythm = 200ms;
constexpr auto plain_rhythm = 10s;

} // namespace

progress::progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

progress::~progress() {
  if (line_open_)
    std::fputc('\n', stderr);
}

bool progress::due() const {
  return !quiet_ && steady::now() >= next_;
}

void progress::update(const std::string& what, uint64_t done, uint64_t all, const std::string& note) {
  if (!due())
    return;
  next_ = steady::now() + (terminal_ ? steady::duration{terminal_rhythm} : steady::duration{plain_rhythm});
  auto percent = all == 0 ? 100.0 : 100.0 * static_cast<double>(done) / static_cast<double>(all);
  show(fmt::format("{} {:3.0f}%{}{}", what, percent, note.empty() ? "" : "  ", note));
}

void progress::finish(const std::string& text) {
  if (quiet_)
    return;
  show(text);
  if (terminal_)
    std::fputc('\n', stderr);
  line_open_ = false;
  next_ = {};
}

void progress::show(const std::string& text) {
  const auto safe = printable(text, "\n");
  const auto line = terminal_ ? "\r" + safe + "\x1b[K" : safe + '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
  line_open_ = terminal_;
  std::fflush(stderr);
}

std::string in_words(std::chrono::seconds time) {
  auto s = time.count();
  if (s < 120)
    return fmt::format("{} s", s);
  if (s < 7200)
    return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 2 * 86400)
    return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
  return fmt::format("{:.1f} days", static_cast<double>(s) / 86400);
}

} // namespace gnomon::replay
