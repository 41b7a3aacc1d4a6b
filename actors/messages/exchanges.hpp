#pragma once

#include "actors/messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

#include <cstdint>
#include <tuple>
#include <variant>

/// Who may ask what, and what the answer is. The actors that carry requests have their interfaces and handlers from
/// these tables.
namespace gnomon {

template <class Request, class Reply>
struct exchange {
  using request_type = Request;
  using reply_type = Reply;
};

/// Between nodes, over a link. The position in this list is the first byte of a request on the wire, so only append.
using peer_exchanges = std::tuple<
    exchange<ping, pong>, exchange<fetch_item, item_copy>, exchange<replicate_item, replicate_ack>,
    exchange<invite_copy, invite_answer>, exchange<update_holders, holders_ack>, exchange<get_copy_report, copy_report>,
    exchange<read_item, item_versions>, exchange<write_item, write_receipt>, exchange<pull_catalog, catalog_delta>,
    exchange<exchange_policies, policy_list>, exchange<create_shadow, shadow_plan>,
    exchange<compare_trees, tree_difference>, exchange<compare_leaves, leaf_difference>,
    exchange<steward_order, steward_answer>, exchange<region_accesses, accesses_ack>,
    exchange<get_prediction, prediction>, exchange<forget_user, forget_receipt>, exchange<fetch_value, version_value>,
    exchange<find_actor, found_actor>, exchange<actor_message, actor_reply>, exchange<pull_steps, step_page>,
    exchange<list_states, state_page>>;

/// Of clients over HTTP, through the gateway to the router.
using client_exchanges =
    std::tuple<exchange<read_item, item_versions>, exchange<write_item, write_receipt>, exchange<list_items, item_page>,
               exchange<create_shadow, shadow_plan>, exchange<get_shadow_status, shadow_report>,
               exchange<put_policy, policy_list>, exchange<get_policies, policy_list>, exchange<get_route, route_list>,
               exchange<get_cluster, cluster_report>, exchange<remove_node, node_removal>,
               exchange<get_prediction, prediction>, exchange<forget_user, forget_receipt>,
               exchange<train_piece, training_status>, exchange<get_training, training_status>,
               exchange<follow_changes, change_page>, exchange<get_effective_policy, effective_policy>,
               exchange<list_trainings, training_list>, exchange<report_reads, reads_receipt>,
               exchange<drop_shadow, shadow_drop>, exchange<count_items, item_count>>;

template <class Table>
struct exchange_types;

template <class... Es>
struct exchange_types<std::tuple<Es...>> {
  using any_request = std::variant<typename Es::request_type...>;
  /// Takes each request with its urgency, answers it, and understands `Others` as well.
  template <class... Others>
  using carrier = caf::typed_actor<
      typename caf::replies_to<traffic, typename Es::request_type>::template with<typename Es::reply_type>...,
      Others...>;
  /// Takes each request with a number, under which the reply goes another way.
  using numbered_carrier = caf::typed_actor<caf::reacts_to<uint64_t, typename Es::request_type>...>;
};

} // namespace gnomon
