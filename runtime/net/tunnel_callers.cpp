#include "runtime/net/tunnel_impl.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace gnomon {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

/// Whatever one caller brings about, others are let in.
void tunnel::impl::go_on_accepting() {
  asio::co_spawn(io_, accept_all(shared_from_this()), [self = shared_from_this()](const std::exception_ptr& fault) {
    if (fault && !self->stopping_ && !guarded("accept", [&] { std::rethrow_exception(fault); }))
      self->go_on_accepting();
  });
}

awaitable<void> tunnel::impl::accept_all(std::shared_ptr<impl> alive) {
  while (!stopping_) {
    error_code failure;
    tcp::socket caller{io_};
    co_await acceptor_.async_accept(caller, asio::redirect_error(asio::use_awaitable, failure));
    if (stopping_)
      break;
    if (failure) { // out of descriptors, most likely: some will come free
      log::warn("tunnel", "cannot-accept", {{"reason", failure.message()}});
      asio::steady_timer pause{io_, std::chrono::milliseconds{100}};
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
      continue;
    }
    const auto from = caller.remote_endpoint(failure);
    if (!failure) // else it is gone already
      accept(std::move(caller), plain_form(from.address()));
  }
}

void tunnel::impl::accept(tcp::socket caller, const peer_address& from) {
  auto refuse = [&](const std::string& event, const std::string& reason) {
    ++refused_;
    warnings_.warn(event, from.to_string(), reason);
  };
  if (!rules_.credentials && !rules_.allow_plain(from))
    return refuse("stranger", "its address is in no network where plain TCP is allowed");
  if (accepted_ >= config_.max_connections)
    return refuse("too-many-connections", fmt::format("there are {} already", accepted_));
  if (!limits_.enter(from, std::chrono::steady_clock::now()))
    return refuse("too-many-handshakes", fmt::format("{} callers are at their greeting", limits_.under_way()));
  auto line = std::make_shared<channel>(channel::socket{std::move(caller)});
  auto self = shared_from_this();
  asio::co_spawn(io_, receive(self, line, from), [self, line, from](const std::exception_ptr& fault) {
    self->handshakes_.erase(line);
    if (fault && !guarded("greet", [&] { std::rethrow_exception(fault); }))
      self->leave(from, true);
  });
}

awaitable<void> tunnel::impl::receive(std::shared_ptr<impl> alive, channel_ptr caller, peer_address from) {
  handshakes_.insert(caller);
  auto expired = std::make_shared<bool>(false);
  auto deadline = close_at(std::chrono::steady_clock::now() + config_.handshake_timeout, caller, expired);
  const auto problem = co_await greet(caller, from);
  if (problem && !stopping_) {
    ++failed_;
    warnings_.warn("stranger", from.to_string(), *expired ? "it did not finish in time" : sentence_of(problem));
  }
  leave(from, static_cast<bool>(problem));
}

/// One that failed keeps its place for a while, so that nobody has this node compute handshake after handshake.
void tunnel::impl::leave(const peer_address& from, bool failed) {
  const auto now = std::chrono::steady_clock::now();
  limits_.leave(from, failed ? now + config_.failed_for : now);
}

awaitable<caf::error> tunnel::impl::greet(channel_ptr line, peer_address from) {
  auto problem = co_await admit(*line, from);
  if (problem)
    co_return problem;
  auto body = co_await read_envelope(*line);
  if (!body)
    co_return std::move(body.error());
  auto by = decode_caller(*body);
  if (!by)
    co_return std::move(by.error());
  const auto* tls = line->tls();
  if (tls != nullptr && !std::count(tls->peers().begin(), tls->peers().end(), by->who.node)) {
    auto sentence = fmt::format("it calls itself {}, but its certificate is for {}", by->who.node,
                                tls->peers().empty() ? "no node" : fmt::format("{}", fmt::join(tls->peers(), ", ")));
    co_return co_await refuse(std::move(line), std::move(sentence));
  }
  if (peers_ && peers_->with(by->who.node)->refused_until > std::chrono::steady_clock::now())
    co_return co_await refuse(std::move(line), "it was cut off a moment ago, for it sent what no node sends");
  if (by->move > 0)
    co_return co_await take_over(std::move(line), std::move(*by), from);
  auto answer = co_await ask_greeter(by->who);
  answer.from = config_.self;
  co_await let_in(std::move(line), std::move(answer), std::move(*by), from);
  co_return caf::error{};
}

/// Tells the caller why, and returns the same as an error. A caller who is only asked to wait has done nothing wrong.
awaitable<caf::error> tunnel::impl::refuse(channel_ptr line, std::string sentence, reception verdict) {
  error_code ignored;
  const auto bytes = encode_greeting({verdict, "the caller is refused: " + sentence, config_.self});
  co_await line->write(asio::buffer(bytes), ignored);
  co_return verdict == reception::busy ? caf::error{} : make_error(ec::rejected, std::move(sentence));
}

/// From the first byte it is known what the caller wants to speak.
awaitable<caf::error> tunnel::impl::admit(channel& caller, peer_address from) {
  error_code failure;
  const auto hears_tls = co_await caller.hears_tls(failure);
  if (failure)
    co_return make_error(ec::unavailable, "it said nothing: " + failure.message());
  if (hears_tls && rules_.credentials)
    co_return co_await caller.secure(rules_.credentials, tls_end::called);
  if (hears_tls)
    co_return make_error(ec::rejected, "it speaks TLS, for which this node has no certificate");
  if (!rules_.allow_plain(from))
    co_return make_error(ec::rejected, "it speaks no TLS, which this node asks for");
  co_return caf::error{};
}

awaitable<greeting> tunnel::impl::ask_greeter(node_identity who) {
  auto slot = std::make_shared<answer_slot>(io_);
  slot->arrived.expires_after(config_.handshake_timeout);
  questions_.insert(slot);
  decide_(std::move(who), [weak = weak_from_this(), slot](greeting answer) {
    if (auto self = weak.lock())
      asio::post(self->io_, [slot, answer = std::move(answer)]() mutable {
        slot->answer = std::move(answer);
        slot->arrived.cancel();
      });
  });
  error_code ignored;
  co_await slot->arrived.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  questions_.erase(slot);
  co_return slot->answer.value_or(greeting{reception::busy, "the node is still starting; try again", {}});
}

awaitable<void> tunnel::impl::let_in(channel_ptr line, greeting answer, caller by, peer_address from) {
  error_code failure;
  asio::local::stream_protocol::socket inner{io_};
  if (answer.verdict == reception::welcome) {
    co_await inner.async_connect({config_.socket}, asio::redirect_error(asio::use_awaitable, failure));
    if (failure)
      answer = {reception::busy, "the node does not listen on its own socket: " + failure.message(), config_.self};
  }
  failure = {};
  const auto bytes = encode_greeting(answer);
  co_await line->write(asio::buffer(bytes), failure);
  if (!failure && answer.verdict == reception::welcome && line->lower().is_open() && !stopping_
      && rules_.allow(*line, from))
    begin_relay(std::make_shared<channel>(channel::socket{std::move(inner)}), std::move(line),
                carried{from, by.who.node, by.who.address, by.connection}, {});
}

} // namespace gnomon
