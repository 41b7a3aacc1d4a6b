#pragma once

#include "runtime/tls/session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace gnomon {

/// A connected socket whose bytes travel as they are, or inside TLS. One read and one write at a time, all on the
/// thread of its socket. A handler keeps alive what the transport is part of; it runs later, never inside the call.
class transport {
public:
  using socket = boost::asio::ip::tcp::socket;
  using error_code = boost::system::error_code;
  using part = boost::asio::const_buffer;

  explicit transport(socket connected);

  /// From now on the bytes are those of TLS, after a handshake as the called end; `handler(fault)` hears of its end.
  template <class Handler>
  void shake_hands(credentials_ptr with, Handler handler);
  /// The same as the calling end. The other one's certificate must name `host`.
  template <class Handler>
  void shake_hands(credentials_ptr with, const std::string& host, Handler handler);

  /// Exactly `size` bytes, before TLS begins: `handler(fault, count)`.
  template <class Handler>
  void read_exactly(char* to, size_t size, Handler handler) {
    boost::asio::async_read(socket_, boost::asio::buffer(to, size), std::move(handler));
  }
  /// At least one byte: `handler(fault, count)`.
  template <class Handler>
  void read(char* to, size_t size, Handler handler);

  /// At least one byte as it came, encrypted or not, to be thrown away: `handler(fault, count)`. Also after TLS failed.
  template <class Handler>
  void read_away(char* to, size_t size, Handler handler) {
    socket_.async_read_some(boost::asio::buffer(to, size), std::move(handler));
  }

  /// Writes as much of the parts as can go now, and says how much. A fault of `would_block`: nothing can go. What did
  /// not go is to be given again, as the same bytes.
  size_t write(std::span<const part> parts, error_code& fault);
  template <class Handler>
  void wait_writable(Handler handler) {
    socket_.async_wait(socket::wait_write, std::move(handler));
  }

  /// Nothing more will be written; reading goes on.
  void end_writing();
  void close();

  /// Null while bytes travel as they are.
  const tls_session* tls() const {
    return tls_.get();
  }
  std::optional<boost::asio::ip::address> far() const;
  /// What to say of a fault.
  std::string explain(const error_code& fault) const {
    return tls_ && !tls_->problem().empty() ? tls_->problem() : fault.message();
  }

private:
  template <class Handler>
  void go_on_shaking(Handler handler);
  template <class Handler>
  void read_decrypted(char* to, size_t size, Handler handler);
  size_t write_encrypted(std::span<const part> parts, error_code& fault);
  error_code fault_of(tls_step step);
  static socket::wait_type wait_of(tls_step step) {
    return step == tls_step::wants_write ? socket::wait_write : socket::wait_read;
  }
  static bool must_wait(tls_step step) {
    return step == tls_step::wants_read || step == tls_step::wants_write;
  }

  socket socket_;
  std::unique_ptr<tls_session> tls_;
  bool sound_ = false; // TLS is established, and has not failed
};

template <class Handler>
void transport::shake_hands(credentials_ptr with, Handler handler) {
  tls_ = std::make_unique<tls_session>(std::move(with), socket_.native_handle(), tls_end::called);
  socket_.async_wait(socket::wait_read, [this, handler = std::move(handler)](const error_code& fault) mutable {
    fault ? handler(fault) : go_on_shaking(std::move(handler));
  });
}

template <class Handler>
void transport::shake_hands(credentials_ptr with, const std::string& host, Handler handler) {
  tls_ = std::make_unique<tls_session>(std::move(with), socket_.native_handle(), tls_end::caller, host);
  boost::asio::post(socket_.get_executor(),
                    [this, handler = std::move(handler)]() mutable { go_on_shaking(std::move(handler)); });
}

template <class Handler>
void transport::go_on_shaking(Handler handler) {
  if (!socket_.is_open())
    return handler(error_code{boost::asio::error::operation_aborted});
  const auto step = tls_->handshake();
  if (!must_wait(step)) {
    sound_ = step == tls_step::done;
    return handler(fault_of(step));
  }
  socket_.async_wait(wait_of(step), [this, handler = std::move(handler)](const error_code& fault) mutable {
    fault ? handler(fault) : go_on_shaking(std::move(handler));
  });
}

template <class Handler>
void transport::read(char* to, size_t size, Handler handler) {
  if (!tls_)
    return socket_.async_read_some(boost::asio::buffer(to, size), std::move(handler));
  if (tls_->has_more()) // what was received with the last record wakes nobody
    return boost::asio::post(socket_.get_executor(), [this, to, size, handler = std::move(handler)]() mutable {
      read_decrypted(to, size, std::move(handler));
    });
  socket_.async_wait(socket::wait_read,
                     [this, to, size, handler = std::move(handler)](const error_code& fault) mutable {
                       fault ? handler(fault, 0) : read_decrypted(to, size, std::move(handler));
                     });
}

template <class Handler>
void transport::read_decrypted(char* to, size_t size, Handler handler) {
  if (!socket_.is_open())
    return handler(error_code{boost::asio::error::operation_aborted}, 0);
  size_t count = 0;
  const auto step = tls_->read(to, size, count);
  if (!must_wait(step)) {
    const auto fault = fault_of(step);
    return handler(fault, count);
  }
  socket_.async_wait(wait_of(step), [this, to, size, handler = std::move(handler)](const error_code& fault) mutable {
    fault ? handler(fault, 0) : read_decrypted(to, size, std::move(handler));
  });
}

} // namespace gnomon
