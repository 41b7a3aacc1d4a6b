#pragma once

#include "runtime/tls/session.hpp"

#include <utility> // Boost.Asio 1.74 forgets it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <memory>
#include <optional>

namespace gnomon {

/// A connected socket whose bytes travel as they are, or inside TLS. At most one read and one write at a time; all on
/// the thread of its socket. What waits ends with an error once it is closed.
class channel {
public:
  using socket = boost::asio::generic::stream_protocol::socket;
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using error_code = boost::system::error_code;

  explicit channel(socket connected) : socket_(std::move(connected)) {}

  /// Waits for the first byte from the other side and leaves it there; true when a TLS handshake begins with it.
  awaitable<bool> hears_tls(error_code& failure);
  /// Goes over to TLS. Errors: unavailable, with a sentence.
  awaitable<caf::error> secure(credentials_ptr with, tls_end which);

  /// At least one byte; zero with a failure.
  awaitable<size_t> read_some(boost::asio::mutable_buffer to, error_code& failure);
  /// All of them, as `write`.
  awaitable<void> read(boost::asio::mutable_buffer to, error_code& failure);
  awaitable<void> write(boost::asio::const_buffer from, error_code& failure);

  /// Nothing more will be written; what was written arrives, and reading goes on.
  awaitable<void> end_writing(error_code& failure);
  /// To be called before `close` when the other side is refused. Closing while bytes from there are unread would reset
  /// the connection, and what was written last, the reason, might not arrive. So it ends writing, and throws away what
  /// comes until the other side closes, at most `max_lingered_bytes`. The caller bounds the time by closing.
  awaitable<void> linger();
  static constexpr size_t max_lingered_bytes = 128u << 10;
  /// After a read failed with `eof`: the other side has ended its writing so, and nothing of it is missing.
  bool ended() const {
    return !tls_ || tls_->ended();
  }

  /// Null while its bytes travel as they are.
  const tls_session* tls() const {
    return tls_ ? &*tls_ : nullptr;
  }
  /// What to say of a failure.
  std::string explain(const error_code& failure) const;
  socket& lower() {
    return socket_;
  }
  void close();

private:
  bool usable(error_code& failure) const;
  awaitable<bool> ready_for(tls_step step, error_code& failure);

  socket socket_;
  std::optional<tls_session> tls_;
};

} // namespace gnomon
