#pragma once

#include "runtime/shell/output.hpp"

#include <sys/types.h>

#include <csignal>
#include <sstream>
#include <streambuf>
#include <string>

namespace gnomon::shell {

/// Shows an answer that is longer than the terminal through $PAGER (default: less -FRX). While one of these lives, it
/// takes what is written to `to.out`: a short answer is written when it ends, a long one goes to the pager as it comes.
/// What is written to `to.err` follows at the end. Does nothing when standard input or output is no terminal, or when
/// PAGER is empty, `cat`, or not installed. One at a time.
class pager final : std::streambuf {
public:
  explicit pager(const terminal& to);
  ~pager() override;
  pager(const pager&) = delete;
  pager& operator=(const pager&) = delete;

private:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize count) override;
  bool fits(std::string_view text);
  void begin();
  void end();
  bool pass_on(std::string_view text);

  const terminal& to_;
  std::string program_; // empty: no pager
  std::streambuf* out_ = nullptr;
  std::streambuf* err_ = nullptr;
  std::stringbuf notes_;
  std::string held_;              // what fits so far
  size_t rows_ = 0, columns_ = 0; // of the terminal
  size_t row_ = 0, column_ = 0;   // that it takes
  int pipe_ = -1;                 // to the pager; -1: it has not begun
  pid_t child_ = -1;
  struct sigaction before_ {};
};

} // namespace gnomon::shell
