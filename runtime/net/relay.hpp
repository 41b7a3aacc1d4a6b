#pragma once

#include "runtime/base/clock.hpp"

#include <utility> // Boost.Asio 1.74 forgets it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace gnomon {

/// Carries bytes in both directions between two connected sockets until either side closes. Each direction keeps at
/// most `buffer_bytes`. When they do not drain, it stops reading. Bytes towards `far` may be delayed by a fixed time,
/// in order. Runs on one thread, that of its sockets, and keeps itself alive while it runs.
class relay : public std::enable_shared_from_this<relay> {
public:
  using socket = boost::asio::generic::stream_protocol::socket;

  relay(socket near, socket far, duration delay_to_far, size_t buffer_bytes);

  /// Begins; `ended` runs once, when both sockets are closed.
  void start(std::function<void()> ended);

  /// Closes both sockets at once; what is buffered is lost.
  void close();

private:
  struct piece {
    std::chrono::steady_clock::time_point due;
    std::vector<char> bytes;
  };
  /// One direction. `filled` and `drained` never expire: they are cancelled to wake the operation that waits on them.
  struct pump {
    pump(socket& source, socket& sink, duration wait);
    socket& from;
    socket& to;
    duration delay;
    std::deque<piece> queue;
    size_t queued = 0;
    bool finished = false; // nothing more will be read
    boost::asio::steady_timer filled;
    boost::asio::steady_timer drained;
    boost::asio::steady_timer due;
  };
  boost::asio::awaitable<void> read_all(std::shared_ptr<relay> alive, pump& p);
  boost::asio::awaitable<void> write_all(std::shared_ptr<relay> alive, pump& p);

  socket near_;
  socket far_;
  size_t buffer_bytes_;
  pump out_; // near to far
  pump in_;
  std::function<void()> ended_;
  bool closed_ = false;
};

} // namespace gnomon
