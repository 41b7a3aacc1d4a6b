#include "runtime/net/relay.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace gnomon {

namespace asio = boost::asio;

namespace {

constexpr size_t piece_bytes = 64u << 10;

/// Waits until the timer is cancelled.
asio::awaitable<void> woken_by(asio::steady_timer& timer) {
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

} // namespace

relay::relay(channel_ptr near, channel_ptr far, duration delay_to_far, size_t buffer_bytes,
             std::unique_ptr<basp_guard> guard)
    : near_(std::move(near)), in_(far), out_(std::move(far)), delay_(delay_to_far), buffer_bytes_(buffer_bytes),
      filled_(near_->lower().get_executor()), drained_(near_->lower().get_executor()),
      moved_(near_->lower().get_executor()), sent_(near_->lower().get_executor()), due_(near_->lower().get_executor()),
      guard_(std::move(guard)) {
  filled_.expires_at(asio::steady_timer::time_point::max());
  drained_.expires_at(asio::steady_timer::time_point::max());
  moved_.expires_at(asio::steady_timer::time_point::max());
  sent_.expires_at(asio::steady_timer::time_point::max());
}

void relay::start(std::function<void(const std::string& cut)> ended) {
  ended_ = std::move(ended);
  auto executor = near_->lower().get_executor();
  auto when_over = [self = shared_from_this()](const std::exception_ptr& fault) {
    if (fault) // memory ran out: half a relay would stay for ever
      self->close();
  };
  asio::co_spawn(executor, receive_all(shared_from_this()), when_over);
  if (delay_ == duration::zero()) {
    asio::co_spawn(executor, send_all(shared_from_this()), when_over);
    return;
  }
  asio::co_spawn(executor, read_ahead(shared_from_this()), when_over);
  asio::co_spawn(executor, write_when_due(shared_from_this()), when_over);
}

asio::awaitable<void> relay::receive_all(std::shared_ptr<relay> alive) {
  std::vector<char> buffer(guard_ ? max_basp_bytes : piece_bytes);
  size_t kept = 0; // of a message that is not complete
  error_code failure;
  while (!failure) {
    const auto from = in_;
    const auto n = co_await from->read_some(asio::buffer(buffer.data() + kept, buffer.size() - kept), failure);
    if (!failure)
      kept = co_await pass_on({buffer.data(), kept + n}, failure);
    else if (co_await goes_on(failure))
      failure = {};
  }
  close();
}

asio::awaitable<size_t> relay::pass_on(std::span<char> received, error_code& failure) {
  if (!guard_) {
    co_await near_->write(asio::buffer(received.data(), received.size()), failure);
    co_return 0;
  }
  using verdict = basp_guard::verdict;
  size_t begin = 0, end = 0; // what may pass, and was not written yet
  basp_guard::ruling ruling;
  do {
    ruling = guard_->judge({received.data() + end, received.size() - end}, std::chrono::steady_clock::now());
    if (ruling.what == verdict::pass) {
      end += ruling.bytes;
      continue;
    }
    if (begin != end)
      co_await near_->write(asio::buffer(received.data() + begin, end - begin), failure);
    else if (ruling.what == verdict::hold)
      co_await woken_by(sent_);
    if (ruling.what == verdict::drop)
      end += ruling.bytes;
    begin = end;
  } while (!failure && !closed_ && ruling.what != verdict::wait && ruling.what != verdict::cut);
  if (ruling.what == verdict::cut) {
    cut_ = std::move(ruling.reason);
    failure = asio::error::access_denied;
  }
  std::copy(received.begin() + static_cast<ptrdiff_t>(end), received.end(), received.begin());
  co_return received.size() - end;
}

void relay::note(std::span<const char> sent) {
  if (!guard_)
    return;
  guard_->note({sent.data(), sent.size()});
  sent_.cancel();
}

asio::awaitable<void> relay::send_all(std::shared_ptr<relay> alive) {
  std::vector<char> buffer(piece_bytes);
  error_code failure;
  while (!failure) {
    const auto n = co_await near_->read_some(asio::buffer(buffer), failure);
    if (!failure)
      note({buffer.data(), n});
    if (!failure)
      co_await send(asio::buffer(buffer.data(), n), failure);
  }
  close();
}

asio::awaitable<void> relay::send(asio::const_buffer bytes, error_code& failure) {
  error_code woken;
  while (sending_ && !closed_) // the old channel is being ended
    co_await moved_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  sending_ = true;
  const auto to = out_;
  co_await to->write(bytes, failure);
  sending_ = false;
  if (next_ && out_ != next_ && !closed_)
    co_await switch_out(shared_from_this());
}

// -- moving ----------------------------------------------------------------------------------------------------------

bool relay::begin_move() {
  if (closed_ || moving_)
    return false;
  return moving_ = true;
}

void relay::move_to(channel_ptr next) {
  if (closed_)
    return next->close();
  next_ = std::move(next);
  moved_.cancel();
  if (!sending_)
    asio::co_spawn(near_->lower().get_executor(), switch_out(shared_from_this()),
                   [self = shared_from_this()](const std::exception_ptr& fault) {
                     if (fault)
                       self->close();
                   });
}

void relay::abandon_move() {
  if (!next_)
    moving_ = false;
  moved_.cancel();
}

asio::awaitable<void> relay::switch_out(std::shared_ptr<relay> alive) {
  if (closed_ || !next_ || out_ == next_ || std::exchange(sending_, true))
    co_return; // a write has begun since, and does the rest, or has done so
  error_code failure;
  const auto old = out_;
  co_await old->end_writing(failure);
  sending_ = false;
  if (closed_)
    co_return;
  if (failure)
    co_return close();
  out_ = next_;
  settle();
  moved_.cancel();
}

void relay::settle() {
  if (in_ != next_ || out_ != next_)
    return;
  next_.reset();
  moving_ = false;
}

/// The old channel has ended as it should, and the new one is there or will be.
asio::awaitable<bool> relay::goes_on(error_code& failure) {
  if (failure != asio::error::eof || !in_->ended() || in_ == next_)
    co_return false;
  error_code woken;
  while (moving_ && !next_ && !closed_)
    co_await moved_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (closed_ || !next_)
    co_return false;
  in_ = next_;
  settle();
  co_return true;
}

// -- with a delay ----------------------------------------------------------------------------------------------------

asio::awaitable<void> relay::read_ahead(std::shared_ptr<relay> alive) {
  std::vector<char> buffer(piece_bytes);
  error_code failure;
  while (!closed_) {
    error_code woken;
    while (!closed_ && queued_ >= buffer_bytes_)
      co_await drained_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (closed_)
      break;
    const auto n = co_await near_->read_some(asio::buffer(buffer), failure);
    if (failure)
      break;
    note({buffer.data(), n});
    queue_.push_back({std::chrono::steady_clock::now() + delay_, {buffer.data(), buffer.data() + n}});
    queued_ += n;
    filled_.cancel();
  }
  finished_ = true;
  filled_.cancel();
}

asio::awaitable<void> relay::write_when_due(std::shared_ptr<relay> alive) {
  error_code ignored, failure;
  while (!closed_ && !failure) {
    if (queue_.empty()) {
      if (finished_)
        break;
      co_await filled_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      continue;
    }
    auto next = std::move(queue_.front());
    queue_.pop_front();
    due_.expires_at(next.due);
    co_await due_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (closed_)
      break;
    co_await send(asio::buffer(next.bytes), failure);
    queued_ -= next.bytes.size();
    drained_.cancel();
  }
  close();
}

void relay::close() {
  if (std::exchange(closed_, true))
    return;
  for (const auto& line : {near_, in_, out_, next_})
    if (line)
      line->close();
  finished_ = true;
  for (auto timer : {&filled_, &drained_, &due_, &moved_, &sent_})
    timer->cancel();
  if (auto ended = std::move(ended_))
    ended(cut_);
}

} // namespace gnomon
