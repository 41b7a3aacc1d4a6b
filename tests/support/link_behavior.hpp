#pragma once

#include "actors/cluster/exchanges.hpp"
#include "actors/messages/protocol.hpp"

namespace gnomon::test {

/// What a link without a connection understands: `carry(name, request)` answers each request of a node as a
/// `caf::result` of its reply, and there are no sessions. `tick` is called when the link is sent one.
template <class Carry, class Tick = void (*)()>
link_actor::behavior_type link_behavior(
    Carry carry, Tick tick = [] {}) {
  auto no_session = [] { return make_error(ec::internal, "a link without a connection has no sessions"); };
  return {
      [=](traffic, fetch_item& x) { return carry("fetch", x); },
      [=](traffic, fetch_value& x) { return carry("value", x); },
      [=](traffic, replicate_item& x) { return carry("replicate", x); },
      [=](traffic, invite_copy& x) { return carry("invite", x); },
      [=](traffic, update_holders& x) { return carry("holders", x); },
      [=](traffic, get_copy_report& x) { return carry("report", x); },
      [=](traffic, read_item& x) { return carry("read", x); },
      [=](traffic, write_item& x) { return carry("write", x); },
      [=](traffic, create_shadow& x) { return carry("create", x); },
      [=](traffic, pull_catalog& x) { return carry("pull", x); },
      [=](traffic, compare_trees& x) { return carry("trees", x); },
      [=](traffic, compare_leaves& x) { return carry("leaves", x); },
      [=](traffic, steward_order& x) { return carry("steward", x); },
      [=](traffic, exchange_policies& x) { return carry("policies", x); },
      [=](traffic, region_accesses& x) { return carry("accesses", x); },
      [=](traffic, get_prediction& x) { return carry("prediction", x); },
      [=](traffic, forget_user& x) { return carry("forget", x); },
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

} // namespace gnomon::test
