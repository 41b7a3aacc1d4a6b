#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/net/basp_guard.hpp"
#include "runtime/net/channel.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gnomon {

using channel_ptr = std::shared_ptr<channel>;

/// Carries bytes in both directions between two channels until either side closes. What was read is written before
/// more is read, so a receiver that stands still stops the sender. Bytes towards `far` may be delayed by a fixed time,
/// in order; at most `buffer_bytes` wait for that. Runs on one thread, that of its channels, and keeps itself alive
/// while it runs. With a guard, what comes from `far` goes on message by message, as far as the guard lets it; and when
/// it says so, the relay closes.
class relay : public std::enable_shared_from_this<relay> {
public:
  relay(channel_ptr near, channel_ptr far, duration delay_to_far, size_t buffer_bytes,
        std::unique_ptr<basp_guard> guard = nullptr);

  /// Begins; `ended` runs once, when both channels are closed, and gets why the guard closed them, if it did.
  void start(std::function<void(const std::string& cut)> ended);

  /// Closes both channels at once; what is buffered is lost.
  void close();

  /// The connection stays while the channel to the far side is replaced by another one: each side ends what it writes
  /// on the old channel, and goes on over the new one in the same order. `begin_move` comes before the other side hears
  /// of it: from then on the end of the old channel is not the end of the connection. False when it has begun already.
  bool begin_move();
  void move_to(channel_ptr next);
  /// It was refused.
  void abandon_move();
  bool moving() const {
    return moving_;
  }
  /// It moves, and the new channel is there.
  bool has_next() const {
    return next_ != nullptr;
  }

  /// The newest.
  const channel& far() const {
    return next_ ? *next_ : *in_;
  }

private:
  struct piece {
    std::chrono::steady_clock::time_point due;
    std::vector<char> bytes;
  };
  using error_code = boost::system::error_code;
  boost::asio::awaitable<void> receive_all(std::shared_ptr<relay> alive);
  /// Gives what was received to the near side; returns how much at the end of it has to wait for more.
  boost::asio::awaitable<size_t> pass_on(std::span<char> received, error_code& failure);
  void note(std::span<const char> sent);
  boost::asio::awaitable<void> send_all(std::shared_ptr<relay> alive);
  boost::asio::awaitable<void> send(boost::asio::const_buffer bytes, error_code& failure);
  boost::asio::awaitable<bool> goes_on(error_code& failure);
  boost::asio::awaitable<void> switch_out(std::shared_ptr<relay> alive);
  void settle();
  boost::asio::awaitable<void> read_ahead(std::shared_ptr<relay> alive);
  boost::asio::awaitable<void> write_when_due(std::shared_ptr<relay> alive);

  channel_ptr near_;
  channel_ptr in_, out_; // to the far side; the same, unless the connection moves
  channel_ptr next_;     // while it moves, once it is there
  bool moving_ = false;
  bool sending_ = false; // a write, or the end of writing on the old channel, is under way
  duration delay_;
  size_t buffer_bytes_;
  std::deque<piece> queue_; // on its way to `far`, when there is a delay
  size_t queued_ = 0;
  bool finished_ = false; // nothing more will be read
  // `filled_`, `drained_`, `moved_` and `sent_` never expire: they are cancelled to wake the operation that waits on
  // them.
  boost::asio::steady_timer filled_;
  boost::asio::steady_timer drained_;
  boost::asio::steady_timer moved_;
  boost::asio::steady_timer sent_; // to the far side, which lets the guard go on
  boost::asio::steady_timer due_;
  std::function<void(const std::string& cut)> ended_;
  std::unique_ptr<basp_guard> guard_; // null: any bytes may pass
  std::string cut_;
  bool closed_ = false;
};

} // namespace gnomon
