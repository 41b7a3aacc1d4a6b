#pragma once

#include "actors/messages/protocol.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace gnomon::test {

struct fake_region_state {
  std::vector<caf::typed_response_promise<item_copy>> held;
  std::vector<ping> pings;
};

/// A region that answers a fetch of id "N" with a value of N bytes, never one of "hold", and all else with not_here.
inline region_actor::behavior_type fake_region(region_actor::stateful_pointer<fake_region_state> self) {
  auto nothing = [] { return make_error(ec::not_here, "this region is not real"); };
  return {
      [=](const fetch_item& request) -> caf::result<item_copy> {
        if (request.id == "hold") {
          self->state.held.push_back(self->make_response_promise<item_copy>());
          return self->state.held.back();
        }
        if (!std::all_of(request.id.begin(), request.id.end(), ::isdigit))
          return nothing();
        item_copy copy;
        copy.id = request.id;
        copy.values.push_back(blob{std::string(std::stoul(request.id), 'x')});
        return copy;
      },
      [=](const fetch_value&) -> caf::result<version_value> { return nothing(); },
      [=](const replicate_item& update) -> caf::result<replicate_ack> {
        replicate_ack ack;
        ack.holders = update.copy.holders;
        ack.counts = true;
        return ack;
      },
      [=](const invite_copy&) -> caf::result<invite_answer> { return nothing(); },
      [=](const update_holders&) -> caf::result<holders_ack> { return nothing(); },
      [=](const get_copy_report&) -> caf::result<copy_report> { return nothing(); },
      [=](const read_item&) -> caf::result<item_versions> { return nothing(); },
      [=](const write_item&) -> caf::result<write_receipt> { return nothing(); },
      [=](const create_shadow&) -> caf::result<shadow_plan> { return nothing(); },
      [=](const pull_catalog&) -> caf::result<catalog_delta> { return nothing(); },
      [=](const steward_order&) -> caf::result<steward_answer> { return nothing(); },
      [=](const compare_trees&) -> caf::result<tree_difference> { return nothing(); },
      [=](const compare_leaves&) -> caf::result<leaf_difference> { return nothing(); },
      [=](const exchange_policies&) -> caf::result<policy_list> { return nothing(); },
      [=](const region_accesses&) -> caf::result<accesses_ack> { return nothing(); },
      [=](const get_prediction&) -> caf::result<prediction> { return nothing(); },
      [=](const forget_user&) -> caf::result<forget_receipt> { return nothing(); },
      [=](const find_actor&) -> caf::result<found_actor> { return nothing(); },
      [=](const actor_message&) -> caf::result<actor_reply> { return nothing(); },
      [=](const pull_steps&) -> caf::result<step_page> { return nothing(); },
      [=](const list_states&) -> caf::result<state_page> { return nothing(); },
      [=](const put_policy&) -> caf::result<policy_list> { return nothing(); },
      [=](const get_policies&) -> caf::result<policy_list> { return nothing(); },
      [=](const remove_node&) -> caf::result<node_removal> { return nothing(); },
      [=](const put_token&) -> caf::result<token_list> { return nothing(); },
      [=](const revoke_token&) -> caf::result<token_list> { return nothing(); },
      [=](const get_tokens&) -> caf::result<token_list> { return nothing(); },
      [=](const ping& facts) { self->state.pings.push_back(facts); },
      [=](tick_a) {},
  };
}

} // namespace gnomon::test
