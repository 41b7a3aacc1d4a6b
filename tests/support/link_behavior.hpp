#pragma once

#include "actors/cluster/packing.hpp"
#include "actors/messages/protocol.hpp"

namespace gnomon::test {

template <class Carry, class Tick, class... Es>
link_actor::behavior_type link_behavior(Carry carry, Tick tick, std::tuple<exchange<ping, pong>, Es...>*) {
  auto no_session = [] { return make_error(ec::internal, "a link without a connection has no sessions"); };
  return {
      [=](traffic, typename Es::request_type& x) { return carry(x); }...,
      [=](traffic, const ping&) -> caf::result<pong> { return no_session(); },
      [=](open_a, const gate_actor&) -> caf::result<node_identity> { return no_session(); },
      [=](const hello&) -> caf::result<hello> { return no_session(); },
      [](hang_up_a) {},
      [](flush_a) {},
      [=](tick_a) { tick(); },
      [](const frame&) {},
      [](const credit&) {},
      [](const session_over&) {},
  };
}

/// What a link without a connection understands: `carry(request)` answers each request of a node as a `caf::result` of
/// its reply, and there are no sessions. `tick` is called when the link is sent one.
template <class Carry, class Tick = void (*)()>
link_actor::behavior_type link_behavior(
    Carry carry, Tick tick = [] {}) {
  return link_behavior(carry, tick, static_cast<peer_exchanges*>(nullptr));
}

} // namespace gnomon::test
