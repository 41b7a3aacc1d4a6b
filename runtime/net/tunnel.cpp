#include "runtime/net/tunnel.hpp"

#include "runtime/base/log.hpp"
#include "runtime/net/endpoint.hpp"
#include "runtime/net/preamble.hpp"
#include "runtime/net/relay.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <set>
#include <thread>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace gnomon {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// Has the kernel end a connection whose other machine is gone without a word, within about 20 s.
void notice_silent_death(int fd) {
  auto set = [fd](int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 3);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

/// Does `step`. What it throws, as when memory runs out, is logged: the thread goes on for the others. False then.
template <class Step>
bool guarded(std::string_view where, Step step) {
  try {
    step();
    return true;
  } catch (const std::exception& fault) {
    log::error("tunnel", "threw", {{"where", where}, {"what", fault.what()}});
    return false;
  }
}

/// Where the greeter's answer arrives; the timer wakes up who waits for it.
struct answer_slot {
  explicit answer_slot(asio::io_context& io) : arrived(io) {}
  std::optional<greeting> answer;
  asio::steady_timer arrived;
};

} // namespace

class tunnel::impl : public std::enable_shared_from_this<impl> {
public:
  impl(tunnel_config config, greeter decide)
      : config_(std::move(config)), decide_(std::move(decide)), acceptor_(io_), work_(io_.get_executor()) {}

  caf::error listen();
  void run();
  void stop();
  void dial(std::string address, duration timeout, dial_function done);
  void hang_up(std::string address);
  const node_identity& self() const {
    return config_.self;
  }

private:
  using shared_socket = std::shared_ptr<tcp::socket>;

  void go_on_accepting();
  awaitable<void> accept_all(std::shared_ptr<impl> alive);
  awaitable<void> receive(std::shared_ptr<impl> alive, shared_socket caller);
  awaitable<void> greet(shared_socket caller);
  awaitable<greeting> ask_greeter(node_identity who);
  awaitable<void> let_in(shared_socket caller, greeting answer, std::string node);
  awaitable<void> call(std::shared_ptr<impl> alive, std::string address, duration timeout, dial_function done);
  awaitable<expected<greeting>> introduce(shared_socket socket, tcp::endpoint to);
  awaitable<expected<std::string>> read_envelope(tcp::socket& socket);
  int open_inner_end(tcp::socket socket, const std::string& node, const std::string& address);
  void begin_relay(relay::socket near, tcp::socket far, const std::string& node, std::string address);
  /// Closes `socket`, and says so in `expired`, unless the timer that comes back dies first.
  std::unique_ptr<asio::steady_timer> close_after(duration timeout, shared_socket socket,
                                                  std::shared_ptr<bool> expired = {});
  void close_all();

  tunnel_config config_;
  plain_networks plain_;
  greeter decide_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::set<shared_socket> handshakes_; // accepted and dialed ones that are not relayed yet
  std::set<std::shared_ptr<relay>> relays_;
  std::map<std::string, std::weak_ptr<relay>> dialed_; // by address
  std::set<std::shared_ptr<answer_slot>> questions_;
  uint32_t accepted_ = 0;
  bool stopping_ = false;            // on the tunnel's thread
  std::atomic<bool> stopped_{false}; // for everyone else
  std::thread thread_;
  std::promise<void> finished_;
};

// -- start and stop --------------------------------------------------------------------------------------------------

caf::error tunnel::impl::listen() {
  if (!config_.insecure)
    return make_error(ec::bad_config, "secure connections between nodes are not available yet: set insecure = true and "
                                      "listen on a loopback address");
  auto networks = plain_networks::from(config_.networks);
  if (!networks)
    return make_error(ec::bad_config, sentence_of(networks.error()));
  plain_ = std::move(*networks);
  auto endpoint = parse_plain(config_.listen, plain_);
  if (!endpoint)
    return make_error(ec::bad_config, sentence_of(endpoint.error()));
  error_code failure;
  acceptor_.open(endpoint->protocol(), failure);
  if (!failure)
    acceptor_.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure)
    acceptor_.bind(*endpoint, failure);
  if (!failure)
    acceptor_.listen(asio::socket_base::max_listen_connections, failure);
  if (failure)
    return make_error(ec::bad_config, "cannot listen on " + config_.listen + " for other nodes: " + failure.message()
                                          + "; choose another listen.tunnel, or stop what uses it");
  if (config_.self.address.empty())
    config_.self.address = to_text(acceptor_.local_endpoint());
  return {};
}

void tunnel::impl::run() {
  go_on_accepting();
  thread_ = std::thread{log::bound([this] {
    for (auto over = false; !over;)
      over = guarded("handler", [this] { io_.run(); });
    finished_.set_value();
  })};
}

/// Whatever one caller brings about, others are let in.
void tunnel::impl::go_on_accepting() {
  asio::co_spawn(io_, accept_all(shared_from_this()), [self = shared_from_this()](const std::exception_ptr& fault) {
    if (fault && !self->stopping_ && !guarded("accept", [&] { std::rethrow_exception(fault); }))
      self->go_on_accepting();
  });
}

void tunnel::impl::stop() {
  if (stopped_.exchange(true) || !thread_.joinable())
    return;
  asio::post(io_, [this] { close_all(); });
  // Whatever waits is closed and ends by itself; the bound is for bugs of ours.
  if (finished_.get_future().wait_for(std::chrono::seconds{2}) != std::future_status::ready) {
    log::error("tunnel", "slow-stop");
    io_.stop();
  }
  thread_.join();
}

void tunnel::impl::close_all() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  for (auto& socket : handshakes_)
    socket->close(ignored);
  for (auto& relay : std::set{relays_})
    relay->close();
  for (auto& question : questions_)
    question->arrived.cancel();
  work_.reset();
}

// -- callers ---------------------------------------------------------------------------------------------------------

awaitable<void> tunnel::impl::accept_all(std::shared_ptr<impl> alive) {
  while (!stopping_) {
    error_code failure;
    auto caller = std::make_shared<tcp::socket>(io_);
    co_await acceptor_.async_accept(*caller, asio::redirect_error(asio::use_awaitable, failure));
    if (stopping_)
      break;
    if (failure) { // out of descriptors, most likely: some will come free
      log::warn("tunnel", "cannot-accept", {{"reason", failure.message()}});
      asio::steady_timer pause{io_, std::chrono::milliseconds{100}};
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    } else if (auto from = caller->remote_endpoint(failure); failure || !plain_.allow(from.address())) {
      log::warn("tunnel", "stranger", {{"reason", "its address is in no network where plain TCP is allowed"}});
    } else if (accepted_ >= config_.max_connections) {
      log::warn("tunnel", "too-many-connections", {{"limit", config_.max_connections}});
    } else {
      ++accepted_;
      asio::co_spawn(io_, receive(alive, caller), [alive, caller](const std::exception_ptr& fault) {
        alive->handshakes_.erase(caller);
        --alive->accepted_;
        if (fault)
          guarded("greet", [&] { std::rethrow_exception(fault); });
      });
    }
  }
}

awaitable<void> tunnel::impl::receive(std::shared_ptr<impl> alive, shared_socket caller) {
  handshakes_.insert(caller);
  auto deadline = close_after(config_.handshake_timeout, caller);
  co_await greet(caller);
}

awaitable<void> tunnel::impl::greet(shared_socket caller) {
  // This is where a TLS handshake will come first; from here on only its stream would be read and written.
  auto body = co_await read_envelope(*caller);
  if (!body) {
    log::warn("tunnel", "stranger", {{"reason", sentence_of(body.error())}});
    co_return;
  }
  auto who = decode_caller(*body);
  if (!who) {
    log::warn("tunnel", "stranger", {{"reason", sentence_of(who.error())}});
    co_return;
  }
  auto answer = co_await ask_greeter(*who);
  answer.from = config_.self;
  co_await let_in(std::move(caller), std::move(answer), who->node);
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

awaitable<void> tunnel::impl::let_in(shared_socket caller, greeting answer, std::string node) {
  error_code failure;
  asio::local::stream_protocol::socket inner{io_};
  if (answer.verdict == reception::welcome) {
    co_await inner.async_connect({config_.socket}, asio::redirect_error(asio::use_awaitable, failure));
    if (failure)
      answer = {reception::busy, "the node does not listen on its own socket: " + failure.message(), config_.self};
  }
  auto bytes = encode_greeting(answer);
  co_await asio::async_write(*caller, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failure));
  if (!failure && answer.verdict == reception::welcome && caller->is_open() && !stopping_)
    begin_relay(std::move(inner), std::move(*caller), node, {});
}

// -- calls -----------------------------------------------------------------------------------------------------------

void tunnel::impl::dial(std::string address, duration timeout, dial_function done) {
  if (stopped_)
    return done(make_error(ec::unavailable, "the node stops"));
  asio::post(io_, [=, this, self = shared_from_this()]() mutable {
    if (stopping_)
      return done(make_error(ec::unavailable, "the node stops"));
    asio::co_spawn(io_, call(self, std::move(address), timeout, done), [done](const std::exception_ptr& fault) {
      if (fault && !guarded("call", [&] { std::rethrow_exception(fault); }))
        done(make_error(ec::unavailable, "the call broke off; try again"));
    });
  });
}

void tunnel::impl::hang_up(std::string address) {
  asio::post(io_, [this, self = shared_from_this(), address = std::move(address)] {
    auto i = dialed_.find(address);
    if (i == dialed_.end())
      return;
    if (auto old = i->second.lock())
      old->close();
    dialed_.erase(address);
  });
}

awaitable<void> tunnel::impl::call(std::shared_ptr<impl> alive, std::string address, duration timeout,
                                   dial_function done) {
  auto endpoint = parse_plain(address, plain_);
  if (!endpoint) {
    done(std::move(endpoint.error()));
    co_return;
  }
  auto socket = std::make_shared<tcp::socket>(io_);
  handshakes_.insert(socket);
  auto expired = std::make_shared<bool>(false);
  auto deadline = close_after(timeout, socket, expired);
  auto answer = co_await introduce(socket, *endpoint);
  deadline.reset();
  handshakes_.erase(socket);
  if (*expired)
    done(make_error(ec::timeout, "the node at " + address + " did not answer in time"));
  else if (!answer)
    done(make_error(code_of(answer.error()), "no node at " + address + ": " + sentence_of(answer.error())));
  else if (answer->verdict != reception::welcome)
    done(dialed{*answer, -1});
  else if (auto fd = open_inner_end(std::move(*socket), answer->from.node, address); fd < 0)
    done(make_error(ec::unavailable, "out of descriptors while connecting to " + address));
  else
    done(dialed{*answer, fd});
}

awaitable<expected<greeting>> tunnel::impl::introduce(shared_socket socket, tcp::endpoint to) {
  error_code failure;
  co_await socket->async_connect(to, asio::redirect_error(asio::use_awaitable, failure));
  auto bytes = encode_caller(config_.self);
  if (!failure) // a TLS handshake comes before this
    co_await asio::async_write(*socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failure));
  if (failure)
    co_return make_error(ec::unavailable, failure.message());
  auto body = co_await read_envelope(*socket);
  if (!body)
    co_return std::move(body.error());
  co_return decode_greeting(*body);
}

int tunnel::impl::open_inner_end(tcp::socket socket, const std::string& node, const std::string& address) {
  asio::local::stream_protocol::socket ours{io_}, theirs{io_};
  error_code failure;
  asio::local::connect_pair(ours, theirs, failure);
  if (!failure)
    theirs.native_non_blocking(true, failure);
  if (failure)
    return -1;
  auto fd = theirs.release(failure);
  if (failure)
    return -1;
  begin_relay(std::move(ours), std::move(socket), node, address);
  return fd;
}

// -- both ------------------------------------------------------------------------------------------------------------

awaitable<expected<std::string>> tunnel::impl::read_envelope(tcp::socket& socket) {
  error_code failure;
  std::string head(preamble_head_bytes, '\0');
  co_await asio::async_read(socket, asio::buffer(head), asio::redirect_error(asio::use_awaitable, failure));
  if (failure)
    co_return make_error(ec::unavailable, "it said nothing: " + failure.message());
  auto length = body_length(head);
  if (!length)
    co_return std::move(length.error());
  std::string body(*length, '\0');
  co_await asio::async_read(socket, asio::buffer(body), asio::redirect_error(asio::use_awaitable, failure));
  if (failure)
    co_return make_error(ec::unavailable, "it stopped in the middle: " + failure.message());
  co_return body;
}

void tunnel::impl::begin_relay(relay::socket near, tcp::socket far, const std::string& node, std::string address) {
  error_code ignored;
  far.set_option(tcp::no_delay{true}, ignored);
  notice_silent_death(far.native_handle());
  auto i = config_.delays.find(node);
  auto delay = i == config_.delays.end() ? duration::zero() : i->second;
  auto both = std::make_shared<relay>(std::move(near), std::move(far), delay, config_.buffer_bytes);
  relays_.insert(both);
  if (address.empty())
    ++accepted_;
  else
    dialed_[address] = both;
  both->start([this, self = shared_from_this(), weak = std::weak_ptr{both}, address] {
    relays_.erase(weak.lock());
    if (address.empty())
      --accepted_;
    else if (auto j = dialed_.find(address); j != dialed_.end() && j->second.lock() == weak.lock())
      dialed_.erase(j);
  });
}

std::unique_ptr<asio::steady_timer> tunnel::impl::close_after(duration timeout, shared_socket socket,
                                                              std::shared_ptr<bool> expired) {
  auto timer = std::make_unique<asio::steady_timer>(io_, timeout);
  timer->async_wait([socket, expired](error_code cancelled) {
    if (cancelled)
      return;
    if (expired)
      *expired = true;
    error_code ignored;
    socket->close(ignored);
  });
  return timer;
}

// -- the contract ----------------------------------------------------------------------------------------------------

tunnel::tunnel(std::shared_ptr<impl> self) : impl_(std::move(self)) {}

tunnel::~tunnel() {
  stop();
}

expected<std::unique_ptr<tunnel>> tunnel::start(tunnel_config config, greeter decide) {
  auto self = std::make_shared<impl>(std::move(config), std::move(decide));
  if (auto err = self->listen())
    return err;
  self->run();
  return std::unique_ptr<tunnel>{new tunnel{std::move(self)}};
}

const std::string& tunnel::address() const {
  return impl_->self().address;
}

void tunnel::dial(const std::string& address, duration timeout, dial_function done) {
  impl_->dial(address, timeout, std::move(done));
}

void tunnel::hang_up(const std::string& address) {
  impl_->hang_up(address);
}

void tunnel::stop() {
  impl_->stop();
}

} // namespace gnomon
