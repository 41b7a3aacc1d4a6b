#include "runtime/net/relay.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace gnomon {

namespace asio = boost::asio;
using boost::system::error_code;

relay::pump::pump(socket& source, socket& sink, duration wait)
    : from(source), to(sink), delay(wait), filled(source.get_executor()), drained(source.get_executor()),
      due(source.get_executor()) {
  filled.expires_at(asio::steady_timer::time_point::max());
  drained.expires_at(asio::steady_timer::time_point::max());
}

relay::relay(socket near, socket far, duration delay_to_far, size_t buffer_bytes)
    : near_(std::move(near)), far_(std::move(far)), buffer_bytes_(buffer_bytes), out_(near_, far_, delay_to_far),
      in_(far_, near_, duration::zero()) {}

void relay::start(std::function<void()> ended) {
  ended_ = std::move(ended);
  auto executor = near_.get_executor();
  auto when_over = [self = shared_from_this()](const std::exception_ptr& fault) {
    if (fault) // memory ran out: half a relay would stay for ever
      self->close();
  };
  for (auto p : {&out_, &in_}) {
    asio::co_spawn(executor, read_all(shared_from_this(), *p), when_over);
    asio::co_spawn(executor, write_all(shared_from_this(), *p), when_over);
  }
}

asio::awaitable<void> relay::read_all(std::shared_ptr<relay> alive, pump& p) {
  std::vector<char> buffer(64u << 10);
  error_code failure;
  while (!closed_) {
    error_code woken;
    while (!closed_ && p.queued >= buffer_bytes_)
      co_await p.drained.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (closed_)
      break;
    auto n = co_await p.from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failure));
    if (failure)
      break;
    p.queue.push_back({std::chrono::steady_clock::now() + p.delay, {buffer.data(), buffer.data() + n}});
    p.queued += n;
    p.filled.cancel();
  }
  p.finished = true;
  p.filled.cancel();
}

asio::awaitable<void> relay::write_all(std::shared_ptr<relay> alive, pump& p) {
  while (!closed_) {
    error_code ignored, failure;
    if (p.queue.empty()) {
      if (p.finished)
        break;
      co_await p.filled.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      continue;
    }
    auto next = std::move(p.queue.front());
    p.queue.pop_front();
    if (p.delay > duration::zero()) {
      p.due.expires_at(next.due);
      co_await p.due.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (closed_)
      break;
    co_await asio::async_write(p.to, asio::buffer(next.bytes), asio::redirect_error(asio::use_awaitable, failure));
    p.queued -= next.bytes.size();
    p.drained.cancel();
    if (failure)
      break;
  }
  close();
}

void relay::close() {
  if (std::exchange(closed_, true))
    return;
  error_code ignored;
  near_.close(ignored);
  far_.close(ignored);
  for (auto p : {&out_, &in_}) {
    p->finished = true;
    p->filled.cancel();
    p->drained.cancel();
    p->due.cancel();
  }
  if (auto ended = std::move(ended_))
    ended();
}

} // namespace gnomon
