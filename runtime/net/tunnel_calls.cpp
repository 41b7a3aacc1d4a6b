#include "runtime/base/host_port.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/net/tunnel_impl.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace gnomon {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

void tunnel::impl::dial(std::string address, duration timeout, dial_function done) {
  const auto begun = on_thread([=, this, self = shared_from_this()]() mutable {
    if (stopping_)
      return done(make_error(ec::unavailable, "the node stops"));
    asio::co_spawn(io_, call(self, std::move(address), timeout, done), [done](const std::exception_ptr& fault) {
      if (fault && !guarded("call", [&] { std::rethrow_exception(fault); }))
        done(make_error(ec::unavailable, "the call broke off; try again"));
    });
  });
  if (!begun)
    done(make_error(ec::unavailable, "the node stops"));
}

void tunnel::impl::hang_up(std::string address) {
  on_thread([this, self = shared_from_this(), address = std::move(address)] {
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
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  auto to = co_await find(address);
  if (!to) {
    done(std::move(to.error()));
    co_return;
  }
  caller me{config_.self, random_u64(), 0};
  const auto number = me.connection;
  attempt made{nullptr, make_error(ec::unavailable, "it has no address")};
  peer_address who;
  for (size_t i = 0; i < to->size() && !made.connected; ++i) {
    who = (*to)[i].address();
    caller one = me;
    made = co_await reach((*to)[i], std::move(one), deadline);
  }
  const auto& answer = made.answer;
  if (!answer && code_of(answer.error()) == ec::timeout)
    done(make_error(ec::timeout, "the node at " + address + " did not answer in time"));
  else if (!answer)
    done(make_error(code_of(answer.error()), "no node at " + address + ": " + sentence_of(answer.error())));
  else if (answer->verdict != reception::welcome)
    done(dialed{*answer, -1});
  else if (auto fd = open_inner_end(std::move(made.line), {who, answer->from.node, address, number}); fd < 0)
    done(make_error(ec::unavailable, "out of descriptors while connecting to " + address));
  else
    done(dialed{*answer, fd});
}

/// Nodes call each other at addresses; people may type a name.
awaitable<expected<std::vector<asio::ip::tcp::endpoint>>> tunnel::impl::find(std::string address) {
  const auto literal = rules_.parse(address);
  if (literal)
    co_return std::vector{*literal};
  const auto where = parse_host_port(address);
  if (!config_.listen.empty() || !where)
    co_return literal.error();
  error_code failure;
  tcp::resolver names{io_};
  const auto found = co_await names.async_resolve(where->host, std::to_string(where->port),
                                                  asio::redirect_error(asio::use_awaitable, failure));
  if (failure)
    co_return make_error(ec::unavailable, fmt::format("the name {} is not known: {}", where->host, failure.message()));
  std::vector<tcp::endpoint> all;
  for (const auto& each : found)
    all.push_back(each.endpoint());
  co_return all;
}

/// With TLS when this node can. In plain only when the config allows it, and nothing at all came back to TLS.
awaitable<tunnel::impl::attempt> tunnel::impl::reach(tcp::endpoint to, caller me, time_point deadline) {
  auto with = rules_.credentials;
  auto made = co_await try_once(to, me, std::move(with), deadline);
  if (!made.no_tls || !rules_.allow_plain(to.address()) || stopping_)
    co_return made;
  credentials_ptr none;
  auto plain = co_await try_once(to, me, std::move(none), deadline);
  co_return plain;
}

awaitable<tunnel::impl::attempt> tunnel::impl::try_once(tcp::endpoint to, caller me, credentials_ptr with,
                                                        time_point deadline) {
  auto line = std::make_shared<channel>(channel::socket{io_});
  handshakes_.insert(line);
  auto expired = std::make_shared<bool>(false);
  auto timer = close_at(deadline, line, expired);
  auto answer = co_await introduce(*line, to, std::move(me), std::move(with));
  timer.reset();
  handshakes_.erase(line);
  if (*expired)
    answer = make_error(ec::timeout, "it did not answer in time");
  const auto no_tls = !answer && !*expired && line->tls() != nullptr && line->tls()->silent();
  if (no_tls)
    answer = make_error(ec::unavailable, "it closed the connection where TLS begins; has it a certificate?");
  const auto connected = *expired || line->tls() != nullptr;
  attempt made{std::move(line), std::move(answer), no_tls, connected};
  co_return made;
}

awaitable<expected<greeting>> tunnel::impl::introduce(channel& line, tcp::endpoint to, caller me,
                                                      credentials_ptr with) {
  error_code failure;
  co_await line.lower().async_connect(to, asio::redirect_error(asio::use_awaitable, failure));
  if (failure)
    co_return make_error(ec::unavailable, failure.message());
  if (with) {
    auto problem = co_await line.secure(std::move(with), tls_end::caller);
    if (problem)
      co_return problem;
  }
  const auto bytes = encode_caller(me);
  co_await line.write(asio::buffer(bytes), failure);
  if (failure)
    co_return make_error(ec::unavailable, line.explain(failure));
  auto body = co_await read_envelope(line);
  if (!body)
    co_return std::move(body.error());
  auto answer = decode_greeting(*body);
  const auto* tls = line.tls();
  if (answer && tls != nullptr && !std::count(tls->peers().begin(), tls->peers().end(), answer->from.node))
    co_return make_error(
        ec::unavailable,
        fmt::format("it calls itself {}, but its certificate is for {}", answer->from.node,
                    tls->peers().empty() ? "no node" : fmt::format("{}", fmt::join(tls->peers(), ", "))));
  co_return answer;
}

int tunnel::impl::open_inner_end(channel_ptr line, carried facts) {
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
  auto address = facts.address;
  begin_relay(std::make_shared<channel>(channel::socket{std::move(ours)}), std::move(line), std::move(facts),
              std::move(address));
  return fd;
}

} // namespace gnomon
