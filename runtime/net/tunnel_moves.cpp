#include "runtime/net/tunnel_impl.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>

namespace gnomon {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

/// Offers the other side to go on over a connection that the rules allow.
void tunnel::impl::move(const std::shared_ptr<relay>& which) {
  auto& facts = relays_.at(which);
  if (!which->begin_move())
    return;
  facts.calling = true;
  facts.moved_by = std::chrono::steady_clock::now() + 2 * config_.handshake_timeout;
  asio::co_spawn(io_, move_over(shared_from_this(), which, facts), [which](const std::exception_ptr& fault) {
    if (fault && !guarded("move", [&] { std::rethrow_exception(fault); }))
      which->close();
  });
}

awaitable<void> tunnel::impl::move_over(std::shared_ptr<impl> alive, std::shared_ptr<relay> which, carried facts) {
  std::string reason = "it has another name";
  auto moved = false, other_calls = false;
  if (auto to = rules_.parse(facts.address)) {
    caller me{config_.self, facts.number, true};
    auto made = co_await reach(*to, std::move(me), std::chrono::steady_clock::now() + config_.handshake_timeout);
    if (!made.answer) {
      reason = sentence_of(made.answer.error());
    } else if (made.answer->verdict != reception::welcome) {
      reason = made.answer->sentence;
      other_calls = made.answer->verdict == reception::busy;
    } else if (made.answer->from.node == facts.node) {
      tune(*made.line);
      which->move_to(std::move(made.line));
      moved = true;
    }
  }
  const auto mine = relays_.find(which);
  if (mine == relays_.end())
    co_return; // it has ended meanwhile
  mine->second.calling = false;
  recount();
  if (other_calls)
    co_return; // its offer is on the way; `review` knows how long to wait for it
  if (!moved && !mine->second.called)
    which->abandon_move();
  log::info("tunnel", moved ? "moved" : "not-moved", {{"node", facts.node}, {"reason", moved ? "" : reason}});
  if (!which->moving() && !rules_.allow(which->far(), mine->second.who)) {
    log::info("tunnel", "no-longer-allowed", {{"node", facts.node}, {"tls", which->far().tls() != nullptr}});
    which->close();
  }
}

/// The other side offers the same. When both do so at once, the offer of the node with the smaller name counts.
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
  if (facts.called || mine_counts || which->has_next())
    co_return co_await refuse(std::move(line), "the connection moves already", reception::busy);
  which->begin_move(); // unless it has begun with a call of this node, which does not count
  facts.called = true;
  facts.moved_by = std::chrono::steady_clock::now() + 2 * config_.handshake_timeout;
  error_code failure;
  const auto bytes = encode_greeting({reception::welcome, {}, config_.self});
  co_await line->write(asio::buffer(bytes), failure);
  const auto still = relays_.find(which);
  if (still == relays_.end())
    co_return make_error(ec::unavailable, "the connection that was to move has ended");
  still->second.called = false;
  if (failure) {
    if (!still->second.calling)
      which->abandon_move();
    co_return make_error(ec::unavailable, "it broke off while a connection moved: " + line->explain(failure));
  }
  tune(*line);
  still->second.who = from;
  which->move_to(std::move(line));
  recount();
  co_return caf::error{};
}

} // namespace gnomon
