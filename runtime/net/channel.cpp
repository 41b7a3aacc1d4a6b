#include "runtime/net/channel.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace gnomon {

namespace asio = boost::asio;

namespace {

constexpr char tls_handshake = 0x16; // the type of a TLS record with a handshake (RFC 8446, 5.1)

auto noting(boost::system::error_code& failure) {
  return asio::redirect_error(asio::use_awaitable, failure);
}

} // namespace

asio::awaitable<bool> channel::hears_tls(error_code& failure) {
  char first = 0;
  co_await socket_.async_receive(asio::buffer(&first, 1), asio::socket_base::message_peek, noting(failure));
  co_return !failure && first == tls_handshake;
}

asio::awaitable<caf::error> channel::secure(credentials_ptr with, tls_end which) {
  error_code failure;
  socket_.native_non_blocking(true, failure);
  tls_.emplace(std::move(with), socket_.native_handle(), which);
  while (usable(failure)) {
    const auto step = tls_->handshake();
    if (step == tls_step::done)
      co_return caf::error{};
    if (!co_await ready_for(step, failure))
      break;
  }
  co_return make_error(ec::unavailable, explain(failure));
}

/// A descriptor that was closed may be another's by now, and TLS would not know.
bool channel::usable(error_code& failure) const {
  if (!failure && !socket_.is_open())
    failure = asio::error::operation_aborted;
  return !failure;
}

/// Waits until the step can be repeated. False when it cannot.
asio::awaitable<bool> channel::ready_for(tls_step step, error_code& failure) {
  if (step == tls_step::wants_read)
    co_await socket_.async_wait(socket::wait_read, noting(failure));
  else if (step == tls_step::wants_write)
    co_await socket_.async_wait(socket::wait_write, noting(failure));
  else
    failure = step == tls_step::closed ? error_code{asio::error::eof} : error_code{asio::error::connection_aborted};
  co_return usable(failure);
}

asio::awaitable<size_t> channel::read_some(asio::mutable_buffer to, error_code& failure) {
  if (!tls_)
    co_return co_await socket_.async_read_some(to, noting(failure));
  while (usable(failure)) {
    size_t count = 0;
    const auto step = tls_->read(static_cast<char*>(to.data()), to.size(), count);
    if (step == tls_step::done)
      co_return count;
    if (!co_await ready_for(step, failure))
      break;
  }
  co_return 0;
}

asio::awaitable<void> channel::read(asio::mutable_buffer to, error_code& failure) {
  while (to.size() > 0 && !failure) {
    const auto count = co_await read_some(to, failure);
    to += count;
  }
}

asio::awaitable<void> channel::write(asio::const_buffer from, error_code& failure) {
  if (!tls_) {
    co_await asio::async_write(socket_, from, noting(failure));
    co_return;
  }
  while (from.size() > 0 && usable(failure)) {
    size_t count = 0;
    const auto step = tls_->write(static_cast<const char*>(from.data()), from.size(), count);
    from += count;
    if (step != tls_step::done && !co_await ready_for(step, failure))
      co_return;
  }
}

asio::awaitable<void> channel::end_writing(error_code& failure) {
  while (tls_ && usable(failure)) {
    const auto step = tls_->end();
    if (step == tls_step::done || !co_await ready_for(step, failure))
      break;
  }
  if (!failure)
    socket_.shutdown(socket::shutdown_send, failure);
}

/// Below TLS, which reads no more once its handshake has failed.
asio::awaitable<void> channel::linger() {
  error_code failure;
  socket_.shutdown(socket::shutdown_send, failure);
  std::array<char, 4096> thrown_away{};
  for (size_t count = 0; count < max_lingered_bytes && !failure;) {
    const auto more = co_await socket_.async_read_some(asio::buffer(thrown_away), noting(failure));
    count += more;
  }
}

std::string channel::explain(const error_code& failure) const {
  return tls_ && !tls_->problem().empty() ? tls_->problem() : failure.message();
}

void channel::close() {
  error_code ignored;
  socket_.close(ignored);
}

} // namespace gnomon
