#pragma once

#include <csignal>

namespace gnomon::shell {

/// While one of these lives, Ctrl-C (and SIGTERM) is noted instead of ending the program. One at a time.
class interrupt_guard {
public:
  interrupt_guard();
  ~interrupt_guard();
  interrupt_guard(const interrupt_guard&) = delete;
  interrupt_guard& operator=(const interrupt_guard&) = delete;
  bool interrupted() const;

private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

} // namespace gnomon::shell
