#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/net/channel.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace gnomon {

using channel_ptr = std::shared_ptr<channel>;

/// Carries bytes in both directions between two channels until either side closes. What was read is written before
/// more is read, so a receiver that stands still stops the sender. Bytes towards `far` may be delayed by a fixed time,
/// in order; at most `buffer_bytes` wait for that. Runs on one thread, that of its channels, and keeps itself alive
/// while it runs.
class relay : public std::enable_shared_from_this<relay> {
public:
  relay(channel_ptr near, channel_ptr far, duration delay_to_far, size_t buffer_bytes);

  /// Begins; `ended` runs once, when both channels are closed.
  void start(std::function<void()> ended);

  /// Closes both channels at once; what is buffered is lost.
  void close();

  const channel& far() const {
    return *far_;
  }

private:
  struct piece {
    std::chrono::steady_clock::time_point due;
    std::vector<char> bytes;
  };
  using error_code = boost::system::error_code;
  boost::asio::awaitable<void> carry(std::shared_ptr<relay> alive, channel_ptr from, channel_ptr to);
  boost::asio::awaitable<void> read_ahead(std::shared_ptr<relay> alive);
  boost::asio::awaitable<void> write_when_due(std::shared_ptr<relay> alive);

  channel_ptr near_;
  channel_ptr far_;
  duration delay_;
  size_t buffer_bytes_;
  std::deque<piece> queue_; // on its way to `far`, when there is a delay
  size_t queued_ = 0;
  bool finished_ = false; // nothing more will be read
  // `filled_` and `drained_` never expire: they are cancelled to wake the operation that waits on them.
  boost::asio::steady_timer filled_;
  boost::asio::steady_timer drained_;
  boost::asio::steady_timer due_;
  std::function<void()> ended_;
  bool closed_ = false;
};

} // namespace gnomon
