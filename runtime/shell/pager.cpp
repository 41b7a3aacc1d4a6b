#include "runtime/shell/pager.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace gnomon::shell {

namespace {

bool is_installed(const std::string& program) {
  if (program.find('/') != program.npos)
    return ::access(program.c_str(), X_OK) == 0;
  std::istringstream folders{std::getenv("PATH") ? std::getenv("PATH") : "/usr/bin:/bin"};
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((std::filesystem::path{folder} / program).c_str(), X_OK) == 0)
      return true;
  return false;
}

/// What a person has said, or `less`. Empty: none, or not installed.
std::string chosen_pager() {
  auto chosen = std::getenv("PAGER");
  std::string line = chosen ? chosen : "less";
  auto program = line.substr(0, line.find(' '));
  return program != "cat" && is_installed(program) ? line : std::string{};
}

/// The size of the terminal now; no rows when there is nobody who could turn pages.
winsize size_of(const terminal& to) {
  winsize size{};
  auto kind = std::getenv("TERM");
  auto dumb = !kind || std::string_view{kind} == "dumb";
  auto person = to.out_is_tty && !dumb && ::isatty(STDIN_FILENO) == 1;
  return person && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size : winsize{};
}

/// A program of `sh` that reads from `input`. Ctrl-C and a lost reader mean to it what they usually do.
pid_t spawn_shell(const std::string& program, int input) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  sigset_t usual;
  sigemptyset(&usual);
  sigaddset(&usual, SIGINT);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh", option = "-c", line = program;
  char* words[] = {shell.data(), option.data(), line.data(), nullptr};
  pid_t child = -1;
  auto problem = ::posix_spawn(&child, "/bin/sh", &files, &attributes, words, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return problem == 0 ? child : -1;
}

} // namespace

pager::pager(const terminal& to) : to_(to), program_(chosen_pager()) {
  auto size = size_of(to);
  rows_ = size.ws_row;
  columns_ = size.ws_col;
  if (program_.empty() || rows_ < 2)
    return;
  out_ = to_.out.rdbuf(this);
  err_ = to_.err.rdbuf(&notes_);
}

pager::~pager() {
  if (!out_)
    return;
  end();
  to_.out.rdbuf(out_);
  to_.err.rdbuf(err_);
  to_.out.write(held_.data(), static_cast<std::streamsize>(held_.size()));
  to_.out.flush();
  auto notes = std::move(notes_).str();
  if (!notes.empty())
    to_.err << notes;
}

pager::int_type pager::overflow(int_type c) {
  auto letter = traits_type::to_char_type(c);
  return xsputn(&letter, 1) == 1 ? c : traits_type::eof();
}

std::streamsize pager::xsputn(const char* text, std::streamsize count) {
  std::string_view more{text, static_cast<size_t>(count)};
  if (pipe_ < 0) {
    held_ += more;
    if (fits(more))
      return count;
    begin();
    more = held_;
  }
  return pipe_ < 0 || pass_on(more) ? count : 0;
}

/// Colours count as columns, so a page may seem full a little early.
bool pager::fits(std::string_view text) {
  for (char c : text) {
    auto follows = (c & 0xC0) == 0x80; // is not the first byte of its character
    column_ = c == '\n' ? 0 : column_ + (follows ? 0 : 1);
    row_ += c == '\n' || column_ > columns_ ? 1 : 0;
    column_ = column_ > columns_ ? 1 : column_;
  }
  return row_ < rows_; // the last row is for the prompt
}

void pager::begin() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return;
  ::setenv("LESS", "FRX", 0); // as git does: leaves a short text on the screen, and shows colours
  child_ = spawn_shell(program_, ends[0]);
  ::close(ends[0]);
  if (child_ < 0) {
    ::close(ends[1]);
    return;
  }
  pipe_ = ends[1];
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigemptyset(&ignore.sa_mask);
  ::sigaction(SIGINT, &ignore, &before_); // Ctrl-C is for the pager
}

/// False when the person has left the pager.
bool pager::pass_on(std::string_view text) {
  while (!text.empty()) {
    auto written = ::write(pipe_, text.data(), text.size());
    if (written < 0 && errno != EINTR)
      return false;
    text.remove_prefix(written > 0 ? static_cast<size_t>(written) : 0);
  }
  return true;
}

/// Waits for the person to leave the pager.
void pager::end() {
  if (pipe_ < 0)
    return;
  ::close(pipe_);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR)
    continue;
  ::sigaction(SIGINT, &before_, nullptr);
  held_.clear();
}

} // namespace gnomon::shell
