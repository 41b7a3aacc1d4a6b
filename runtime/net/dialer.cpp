#include "runtime/net/dialer.hpp"

#include "runtime/net/unix_middleman.hpp"

#include <caf/io/all.hpp>

#include <set>

namespace gnomon {
namespace {

using self_pointer = tunnel_dialer_actor::stateful_pointer<dialer_state>;

caf::result<dial_result> begin(self_pointer self, tunnel& way, duration timeout, const std::string& address) {
  way.hang_up(address);
  auto number = ++self->state.last;
  auto promise = self->make_response_promise<dial_result>();
  self->state.dials.emplace(number, std::pair{address, promise});
  way.dial(address, timeout, [number, me = tunnel_dialer_actor{self}](expected<dialed> outcome) {
    if (outcome)
      caf::anon_send(me, open_a_v, number, static_cast<int32_t>(outcome->fd), outcome->answer);
    else
      caf::anon_send(me, open_a_v, number, std::move(outcome.error()));
  });
  return promise;
}

/// Asks CAF for the gate behind `fd`. A connection that fails now is hung up, so that no half of it stays.
void open_gate(self_pointer self, std::shared_ptr<tunnel> way, duration timeout, uint64_t number, int fd,
               const greeting& answer) {
  auto dial = self->state.dials.extract(number);
  if (!dial)
    return; // it has failed
  auto& [address, promise] = dial.mapped();
  if (fd < 0) {
    promise.deliver(dial_result{answer, gate_actor{}});
    return;
  }
  self->request(basp_broker_of(self->system()), timeout, begin_session(self->system(), fd))
      .then(
          [=, address = address, promise = promise](const caf::node_id&, caf::strong_actor_ptr& gate,
                                                    const std::set<std::string>&) mutable {
            if (gate) {
              promise.deliver(dial_result{answer, caf::actor_cast<gate_actor>(gate)});
            } else {
              way->hang_up(address);
              promise.deliver(make_error(ec::unavailable, "node " + answer.from.node + " publishes no gate"));
            }
          },
          [=, address = address, promise = promise](const caf::error& reason) mutable {
            way->hang_up(address);
            promise.deliver(make_error(code_of(reason), "node " + answer.from.node + " broke off the handshake"));
          });
}

} // namespace

tunnel_dialer_actor::behavior_type dialer(self_pointer self, std::shared_ptr<tunnel> way, duration timeout) {
  return {
      [=](dial_a, const std::string& address) { return begin(self, *way, timeout, address); },
      [=](hang_up_a, const std::string& address) { way->hang_up(address); },
      [=](open_a, uint64_t number, int32_t fd, const greeting& answer) {
        open_gate(self, way, timeout, number, fd, answer);
      },
      [=](open_a, uint64_t number, caf::error& reason) {
        if (auto dial = self->state.dials.extract(number))
          dial.mapped().second.deliver(std::move(reason));
      },
  };
}

} // namespace gnomon
