#include "runtime/net/tunnel_impl.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace gnomon {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

namespace {

constexpr auto offer_again = std::chrono::milliseconds{100};

} // namespace

/// Goes on over a connection that the rules allow, if the other side does.
void tunnel::impl::move(const std::shared_ptr<relay>& which) {
  auto& facts = relays_.at(which);
  if (!which->begin_move())
    return;
  facts.moved_by = std::chrono::steady_clock::now() + 2 * config_.handshake_timeout;
  asio::co_spawn(io_, move_over(shared_from_this(), which), [which](const std::exception_ptr& fault) {
    if (fault && !guarded("move", [&] { std::rethrow_exception(fault); }))
      which->close();
  });
}

/// An offer that crosses one of the other side, or comes too early for it, is made again unless the other one counts.
awaitable<void> tunnel::impl::move_over(std::shared_ptr<impl> alive, std::shared_ptr<relay> which) {
  for (;;) {
    auto facts = relays_.find(which);
    if (facts == relays_.end() || !which->moving() || which->has_next() || facts->second.called)
      co_return; // it has ended, or moves already
    facts->second.calling = true;
    carried as_offered = facts->second;
    auto made = co_await offer_move(as_offered);
    facts = relays_.find(which);
    if (facts == relays_.end())
      co_return;
    facts->second.calling = false;
    if (facts->second.moves != as_offered.moves)
      co_return; // the other side's offer came first, and this one was not taken
    if (made.answer && made.answer->verdict == reception::welcome) {
      ++facts->second.moves;
      tune(*made.line);
      which->move_to(std::move(made.line));
      recount();
      log::info("tunnel", "moved", {{"node", as_offered.node}});
      co_return;
    }
    if (!made.answer || made.answer->verdict != reception::busy) {
      log::info("tunnel", "not-moved",
                {{"node", as_offered.node},
                 {"reason", made.answer ? made.answer->sentence : sentence_of(made.answer.error())}});
      which->abandon_move();
      if (!rules_.allow(which->far(), facts->second.who))
        which->close();
      co_return;
    }
    asio::steady_timer pause{io_, offer_again};
    error_code ignored;
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

awaitable<tunnel::impl::attempt> tunnel::impl::offer_move(carried facts) {
  const auto to = rules_.parse(facts.address);
  if (!to) {
    attempt none{nullptr, to.error()};
    co_return none;
  }
  caller me{config_.self, facts.number, facts.moves + 1};
  auto made = co_await reach(*to, std::move(me), std::chrono::steady_clock::now() + config_.handshake_timeout);
  if (made.answer && made.answer->from.node != facts.node)
    made.answer = make_error(ec::rejected, "another node answers there: " + made.answer->from.node);
  co_return made;
}

/// The other side offers the same. When both do so at once, the offer of the node with the smaller name counts. An
/// offer is only for the next move at both ends: one that was on the way while the connection moved is void.
awaitable<caf::error> tunnel::impl::take_over(channel_ptr line, caller by, peer_address from) {
  const auto found = std::find_if(relays_.begin(), relays_.end(), [&](const auto& each) {
    return each.second.number == by.connection && each.second.node == by.who.node;
  });
  if (found == relays_.end())
    co_return co_await refuse(std::move(line), "there is no such connection");
  if (found->first->far().tls() != nullptr && line->tls() == nullptr)
    co_return co_await refuse(std::move(line), "a connection in TLS stays in TLS");
  const auto which = found->first;
  auto& facts = found->second;
  const auto mine_counts = facts.calling && config_.self.node < by.who.node;
  if (facts.called || mine_counts || which->has_next() || by.move != facts.moves + 1)
    co_return co_await refuse(std::move(line), "the connection moves already", reception::busy);
  which->begin_move(); // unless it has begun with an offer of this node, which does not count
  ++facts.moves;
  facts.called = true;
  facts.moved_by = std::chrono::steady_clock::now() + 2 * config_.handshake_timeout;
  error_code failure;
  const auto bytes = encode_greeting({reception::welcome, {}, config_.self});
  co_await line->write(asio::buffer(bytes), failure);
  const auto still = relays_.find(which);
  if (still == relays_.end())
    co_return make_error(ec::unavailable, "the connection that was to move has ended");
  still->second.called = false;
  if (failure) { // nobody knows whether the other side has read it and moves
    which->close();
    co_return make_error(ec::unavailable, "it broke off while a connection moved: " + line->explain(failure));
  }
  tune(*line);
  still->second.who = from;
  which->move_to(std::move(line));
  recount();
  co_return caf::error{};
}

} // namespace gnomon
