#pragma once

#include "runtime/base/error.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace gnomon::replay {

/// The loop of the one thread: runs network handlers while a function waits, within a bound. Ctrl-C and SIGTERM end
/// every wait with an error instead of ending the process, so that everything that was started is also stopped.
class event_loop {
public:
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  boost::asio::io_context& io() {
    return io_;
  }

  /// Called about five times a second during every wait; an error it returns ends the wait.
  void watch(std::function<caf::error()> check);

  /// Runs handlers until `done()` holds. Errors: timeout (the bound passed), unavailable (interrupted), or the
  /// watcher's.
  caf::error run_until(const std::function<bool()>& done, std::chrono::milliseconds bound);

  /// Runs handlers for that long. Errors: unavailable (interrupted), or the watcher's.
  caf::error pause(std::chrono::milliseconds time);

private:
  struct signals;
  caf::error look_around();

  boost::asio::io_context io_{1};
  std::unique_ptr<signals> signals_;
  std::function<caf::error()> watcher_;
  std::chrono::steady_clock::time_point next_look_;
};

} // namespace gnomon::replay
