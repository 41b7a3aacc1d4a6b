#include "runtime/base/proxy_header.hpp"
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

namespace {

/// A certificate that names a node is a node's, whatever else it names.
bool is_shell(const channel& line) {
  const auto* tls = line.tls();
  return tls != nullptr && tls->peers().empty() && !tls->peer().shells.empty();
}

/// Nothing when the caller's certificate is for the name that it gives. Errors: rejected, with a sentence.
caf::error check_name(const channel& line, const std::string& name) {
  if (line.tls() == nullptr)
    return {};
  const auto shell = is_shell(line);
  const auto& names = shell ? line.tls()->peer().shells : line.tls()->peers();
  if (std::count(names.begin(), names.end(), name))
    return {};
  const auto named = names.empty() ? std::string{"no node and no shell"} : fmt::format("{}", fmt::join(names, ", "));
  return make_error(ec::rejected, fmt::format("it calls itself {}, but its certificate is for {}{}", name,
                                              shell ? "the shell " : "", named));
}

} // namespace

void tunnel::impl::accept(tcp::socket caller, const peer_address& from) {
  auto refuse = [&](const std::string& event, const std::string& reason) {
    ++refused_;
    warnings_.warn(event, from.to_string(), reason);
  };
  if (!rules_.credentials && !rules_.allow_plain(from) && !rules_.are_proxy(from))
    return refuse("stranger", "its address is in no network where plain TCP is allowed");
  if (accepted_ >= config_.max_connections)
    return refuse("too-many-connections", fmt::format("there are {} already", accepted_));
  if (!arrive(from))
    return;
  auto line = std::make_shared<channel>(channel::socket{std::move(caller)});
  auto self = shared_from_this();
  auto place = std::make_shared<std::optional<peer_address>>(from);
  asio::co_spawn(io_, receive(self, line, place), [self, line, place](const std::exception_ptr& fault) {
    self->handshakes_.erase(line);
    if (fault && !guarded("greet", [&] { std::rethrow_exception(fault); }))
      self->leave(place, true);
  });
}

/// False when there are too many callers at their greeting.
bool tunnel::impl::arrive(const peer_address& from) {
  const auto now = std::chrono::steady_clock::now();
  if (rules_.are_proxy(from) ? limits_.enter_for_many(from, now) : limits_.enter(from, now))
    return true;
  ++refused_;
  warnings_.warn("too-many-handshakes", from.to_string(),
                 fmt::format("{} callers are at their greeting", limits_.under_way()));
  return false;
}

awaitable<void> tunnel::impl::receive(std::shared_ptr<impl> alive, channel_ptr caller, greeting_place from) {
  handshakes_.insert(caller);
  auto expired = std::make_shared<bool>(false);
  auto deadline = close_at(std::chrono::steady_clock::now() + config_.handshake_timeout, caller, expired);
  caf::error problem;
  if (rules_.are_proxy(**from))
    problem = co_await hear_proxy(*caller, from);
  if (!*from)
    co_return; // too many callers come from behind the proxy
  if (!problem)
    problem = co_await greet(caller, **from);
  if (problem && !stopping_) {
    ++failed_;
    warnings_.warn("stranger", (*from)->to_string(), *expired ? "it did not finish in time" : sentence_of(problem));
    co_await caller->linger();
  }
  leave(from, static_cast<bool>(problem));
}

/// Goes on for the address that has called the proxy, unless the proxy speaks for itself. No byte more than the header
/// is read: what follows may be TLS.
awaitable<caf::error> tunnel::impl::hear_proxy(channel& caller, greeting_place from) {
  proxy_header header;
  std::vector<char> bytes;
  error_code failure;
  for (auto wanted = header.wanted(); wanted > 0; wanted = header.wanted()) {
    bytes.resize(wanted);
    co_await caller.read(asio::buffer(bytes), failure);
    if (failure)
      co_return make_error(ec::unavailable, "it said nothing: " + failure.message());
    header.take({bytes.data(), bytes.size()});
  }
  if (header.broken())
    co_return make_error(ec::rejected, "it does not begin with a header of the PROXY protocol");
  if (!header.source())
    co_return caf::error{};
  leave(from, false);
  if (const auto client = asio::ip::make_address(to_string(*header.source())); arrive(client))
    *from = client;
  co_return caf::error{};
}

/// One that failed keeps its place for a while, so that nobody has this node compute handshake after handshake.
void tunnel::impl::leave(const greeting_place& from, bool failed) {
  const auto now = std::chrono::steady_clock::now();
  if (const auto place = std::exchange(*from, std::nullopt))
    limits_.leave(*place, failed ? now + config_.failed_for : now);
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
  if (const auto stranger = check_name(*line, by->who.node))
    co_return co_await refuse(std::move(line), sentence_of(stranger));
  const auto shell = is_shell(*line);
  if (shell)
    by->who.node = "shell " + by->who.node; // which no node is called
  if (peers_ && peers_->with(by->who.node)->refused_until > std::chrono::steady_clock::now())
    co_return co_await refuse(std::move(line), "it was cut off a moment ago, for it sent what no node sends");
  if (by->move > 0)
    co_return co_await take_over(std::move(line), std::move(*by), from);
  greeting answer;
  if (shell)
    answer = answer_shell(by->who);
  else
    answer = co_await ask_greeter(by->who);
  answer.from = config_.self;
  co_await let_in(std::move(line), std::move(answer), std::move(*by), from);
  co_return caf::error{};
}

/// A program that calls anew has lost its connection, which this node may not have noticed. CAF must: it has one for
/// each program.
greeting tunnel::impl::answer_shell(const node_identity& who) {
  if (!config_.shell_came)
    return {reception::refused, "no shell may come here", {}};
  for (auto& [relay, facts] : relays{relays_})
    if (facts.shell && facts.node == who.node && facts.program == who.start)
      relay->close();
  if (shells_ < config_.max_shells)
    return {reception::welcome, {}, {}};
  log::warn("tunnel", "too-many-shells", {{"who", who.node}, {"connected", shells_}});
  return {reception::busy, fmt::format("{} shells are connected already; try again later", shells_), {}};
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
      && rules_.allow(*line, from)) {
    carried facts{from, by.who.node, by.who.address, by.connection};
    if (is_shell(*line)) {
      facts.shell = std::make_shared<std::string>();
      facts.program = by.who.start;
    }
    begin_relay(std::make_shared<channel>(channel::socket{std::move(inner)}), std::move(line), std::move(facts), {});
  }
}

} // namespace gnomon
