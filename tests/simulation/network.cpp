#include "tests/simulation/network.hpp"

#include <algorithm>

namespace gnomon::simulation {

namespace {

constexpr moment dial_bound{5'000'000}; // a call that nobody answers fails after that

} // namespace

network::network(engine& on, uint64_t seed, size_t nodes) : engine_(on), dice_(seed) {
  latency_.resize(nodes, std::vector<moment>(nodes, moment{0}));
  for (size_t a = 0; a < nodes; ++a)
    for (size_t b = a + 1; b < nodes; ++b)
      latency_[a][b] = latency_[b][a] = dice_.between(moment{5'000}, moment{120'000});
}

// -- dialing ---------------------------------------------------------------------------------------------------------

dialer_actor network::dialer_of(int node) {
  auto& host = hosts_[node];
  if (!host.dialer)
    engine_.as(outside, [&] {
      host.dialer = engine_.system().spawn([this, node](dialer_actor::pointer self) -> dialer_actor::behavior_type {
        return {
            [=, this](dial_a, const std::string& address) -> caf::result<dial_result> {
              auto promise = self->make_response_promise<dial_result>();
              dial(node, address, promise);
              return promise;
            },
            [=, this](hang_up_a, const std::string& address) { hang_up(node, address); },
        };
      });
    });
  return host.dialer;
}

void network::listen(int node, const std::string& address, context_ptr who, gate_actor gate) {
  auto& host = hosts_[node];
  host.address = address;
  host.who = std::move(who);
  host.gate = std::move(gate);
}

int network::node_at(const std::string& address) const {
  for (auto& [node, host] : hosts_)
    if (host.address == address)
      return node;
  return outside;
}

/// Asks the called node's membership, as its tunnel does; a welcome becomes a connection.
void network::dial(int from, const std::string& address, caf::typed_response_promise<dial_result> promise) {
  hang_up(from, address);
  auto to = node_at(address);
  auto nobody = [promise, address]() mutable {
    if (promise.pending())
      promise.deliver(make_error(ec::timeout, "nobody answers at " + address));
  };
  engine_.after(dial_bound, nobody);
  if (to == outside)
    return;
  engine_.after(trip(from, to) * 3, [=, this]() mutable {
    auto& host = hosts_[to];
    if (is_cut(from, to) || is_cut(to, from))
      return;
    auto membership = host.who ? host.who->handles.get()->membership : membership_actor{};
    auto caller = hosts_[from].who;
    if (!membership || !caller)
      return (void)engine_.after(trip(to, from), nobody);
    engine_.asker()
        ->request(membership, dial_bound, greet_a_v, caller->self)
        .then([=, this](const greeting& answer) { greeted(from, to, answer, promise); }, [](const caf::error&) {});
  });
}

void network::greeted(int from, int to, const greeting& answer, caf::typed_response_promise<dial_result> promise) {
  engine_.after(trip(to, from), [=, this]() mutable {
    if (is_cut(to, from) || !promise.pending())
      return;
    if (answer.verdict != reception::welcome) {
      promise.deliver(dial_result{answer, gate_actor{}});
      return;
    }
    auto made = std::make_shared<connection>();
    made->end[0].node = from;
    made->end[1].node = to;
    connections_.push_back(made);
    made->gate = engine_.system().spawn([this, made](gate_actor::pointer self) -> gate_actor::behavior_type {
      return {
          [=, this](const hello& theirs) -> caf::result<hello> {
            auto promise = self->make_response_promise<hello>();
            pass_hello(made, theirs, promise);
            return promise;
          },
          [](const hello_client&) -> caf::result<client_welcome> {
            return make_error(ec::rejected, "clients come in by another way");
          },
      };
    });
    promise.deliver(dial_result{answer, made->gate});
  });
}

void network::hang_up(int from, const std::string& address) {
  auto to = node_at(address);
  for (auto& c : std::vector<connection_ptr>{connections_})
    for (size_t side = 0; side < 2; ++side)
      if (c->end[side].node == from && c->end[1 - side].node == to)
        close(c, side, true);
}

// -- sessions --------------------------------------------------------------------------------------------------------

link_end_actor network::spawn_wire(const connection_ptr& over, size_t side) {
  return engine_.system().spawn([=, this](link_end_actor::pointer) -> link_end_actor::behavior_type {
    return {
        [=, this](frame& x) { transmit(over, 1 - side, std::move(x)); },
        [=, this](credit& x) { transmit(over, 1 - side, std::move(x)); },
        [=, this](session_over& x) { transmit(over, 1 - side, std::move(x)); },
    };
  });
}

/// The hello that opens a session crosses to the real gate and back; each side gets to see a wire in place of the other
/// side's link.
void network::pass_hello(const connection_ptr& over, const hello& theirs, caf::typed_response_promise<hello> promise) {
  if (!over->open) {
    promise.deliver(make_error(ec::unavailable, "the connection has ended"));
    return;
  }
  over->end[0].link = theirs.end;
  over->end[0].wire = spawn_wire(over, 0);
  over->end[1].wire = spawn_wire(over, 1);
  auto there = theirs;
  there.end = over->end[1].wire;
  carry(over, 1, [=, this]() mutable {
    auto gate = hosts_[over->end[1].node].gate;
    if (!gate)
      return;
    engine_.asker()
        ->request(gate, dial_bound, there)
        .then(
            [=, this](const hello& ours) mutable {
              over->end[1].link = ours.end;
              auto here = ours;
              here.end = over->end[0].wire;
              carry(over, 0, [=]() mutable { promise.deliver(here); });
            },
            [=, this](const caf::error& reason) { carry(over, 0, [=]() mutable { promise.deliver(reason); }); });
  });
}

moment network::trip(int from, int to) {
  auto t = latency(from, to) + dice_.between(moment{0}, jitter_);
  if (dice_.chance(loss_percent_))
    t += dice_.between(moment{200'000}, moment{900'000});
  return t;
}

template <class Message>
void network::transmit(const connection_ptr& over, size_t to_side, Message message) {
  carry(over, to_side, [over, to_side, message = std::move(message)]() mutable {
    auto& there = over->end[to_side];
    if (there.link)
      caf::send_as(there.wire, there.link, std::move(message));
  });
}

void network::carry(const connection_ptr& over, size_t to_side, std::function<void()> deliver) {
  if (!over->open)
    return;
  auto& there = over->end[to_side];
  there.last_arrival = std::max(there.last_arrival, engine_.now() + trip(over->end[1 - to_side].node, there.node));
  engine_.at(there.last_arrival, [=, this] { arrive(over, to_side, deliver); });
}

void network::arrive(const connection_ptr& over, size_t to_side, std::function<void()> deliver) {
  if (!over->open)
    return;
  auto& there = over->end[to_side];
  if (is_cut(over->end[1 - to_side].node, there.node) || !there.stalled.empty())
    there.stalled.push_back(std::move(deliver));
  else
    deliver();
}

/// The closing side knows at once; the other one hears of it when something can reach it.
void network::close(const connection_ptr& over, size_t by_side, bool other_is_told) {
  if (!over->open)
    return;
  over->open = false;
  std::erase(connections_, over);
  auto end = [](const auto& actor) {
    if (actor)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
  };
  end(over->gate);
  end(over->end[by_side].wire);
  for (auto& side : over->end)
    side.stalled.clear();
  auto from = over->end[by_side].node;
  auto to = over->end[1 - by_side].node;
  auto forget = [over] {
    over->gate = gate_actor{};
    for (auto& side : over->end)
      side.link = side.wire = link_end_actor{};
  };
  if (other_is_told && !is_cut(from, to))
    return engine_.after(trip(from, to), [=] {
      end(over->end[1 - by_side].wire);
      forget();
    });
  // Its own attempts to send will tell it one day.
  engine_.after(moment{60'000'000}, [=] {
    end(over->end[1 - by_side].wire);
    forget();
  });
}

// -- what goes wrong -------------------------------------------------------------------------------------------------

void network::weather(uint64_t loss_percent, moment jitter) {
  loss_percent_ = loss_percent;
  jitter_ = jitter;
  rough_ = engine_.now();
}

moment network::whole_since(int a, int b) const {
  if (loss_percent_ != usual_loss || is_cut(a, b) || is_cut(b, a))
    return moment::max();
  auto last = troubled_.find(std::minmax(a, b));
  return last == troubled_.end() ? rough_ : std::max(rough_, last->second);
}

void network::vanish(int node, bool told) {
  hosts_[node].who = nullptr;
  hosts_[node].gate = gate_actor{};
  for (auto& c : std::vector<connection_ptr>{connections_})
    for (size_t side = 0; side < 2; ++side)
      if (c->end[side].node == node)
        close(c, side, told);
}

void network::cut(int from, int to) {
  cuts_.emplace(from, to);
  troubled_[std::minmax(from, to)] = engine_.now();
}

void network::mend(int from, int to) {
  if (cuts_.erase({from, to}) == 0)
    return;
  troubled_[std::minmax(from, to)] = engine_.now();
  for (auto& c : std::vector<connection_ptr>{connections_})
    for (size_t side = 0; side < 2; ++side)
      if (c->end[side].node == to && c->end[1 - side].node == from)
        for (auto& deliver : std::exchange(c->end[side].stalled, {}))
          carry(c, side, std::move(deliver)); // sent again
}

void network::heal() {
  for (auto [from, to] : std::set<std::pair<int, int>>{cuts_})
    mend(from, to);
}

void network::reset(int a, int b) {
  troubled_[std::minmax(a, b)] = engine_.now();
  for (auto& c : std::vector<connection_ptr>{connections_})
    for (size_t side = 0; side < 2; ++side)
      if (c->end[side].node == a && c->end[1 - side].node == b)
        close(c, side, true);
}

} // namespace gnomon::simulation
