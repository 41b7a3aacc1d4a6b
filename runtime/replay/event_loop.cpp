#include "runtime/replay/event_loop.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>

namespace gnomon::replay {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto look_every = 200ms;

} // namespace

struct event_loop::signals {
  explicit signals(boost::asio::io_context& io) : set(io, SIGINT, SIGTERM) {
    set.async_wait([this](const boost::system::error_code& failure, int) { interrupted = !failure; });
  }
  boost::asio::signal_set set;
  bool interrupted = false;
};

event_loop::event_loop() : signals_(std::make_unique<signals>(io_)) {}

event_loop::~event_loop() = default;

void event_loop::watch(std::function<caf::error()> check) {
  watcher_ = std::move(check);
}

caf::error event_loop::look_around() {
  if (signals_->interrupted)
    return make_error(ec::unavailable, "interrupted");
  if (!watcher_ || steady::now() < next_look_)
    return {};
  next_look_ = steady::now() + look_every;
  return watcher_();
}

caf::error event_loop::run_until(const std::function<bool()>& done, std::chrono::milliseconds bound) {
  auto deadline = steady::now() + bound;
  while (!done()) {
    if (auto wrong = look_around())
      return wrong;
    auto left = deadline - steady::now();
    if (left <= 0ms)
      return make_error(ec::timeout, "no answer within " + std::to_string(bound.count()) + " ms");
    io_.restart();
    io_.run_one_for(std::min<steady::duration>(left, look_every));
  }
  return {};
}

caf::error event_loop::pause(std::chrono::milliseconds time) {
  auto wrong = run_until([] { return false; }, time);
  return wrong && code_of(wrong) == ec::timeout ? caf::error{} : wrong;
}

} // namespace gnomon::replay
