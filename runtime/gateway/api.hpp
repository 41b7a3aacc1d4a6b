#pragma once

#include "actors/messages/exchanges.hpp"
#include "runtime/gateway/routes.hpp"

#include <caf/error.hpp>

#include <variant>

/// The HTTP API without sockets and without actors. A request becomes a message to the router, or gets an answer at
/// once. The router's reply becomes a response. All functions are pure.
namespace gnomon::http {

/// What the router understands.
using client_message = exchange_types<client_exchanges>::any_request;

/// What the router replies.
using client_result =
    std::variant<caf::error, item_versions, write_receipt, item_page, shadow_plan, shadow_report, policy_list,
                 route_list, cluster_report, node_removal, prediction, forget_receipt, training_status, change_page,
                 effective_policy, training_list, reads_receipt, shadow_drop, item_count>;

/// Pages about the node itself, which the server answers without asking an actor.
enum class own_page : uint8_t { live, ready, metrics, openapi };

using next_step = std::variant<response, client_message, own_page>;

/// Decides what a complete request asks for. A write takes the body out of the request. `now` is the node's clock, for
/// expiries given in seconds. Checks path, method, media type, and then path, query, fields and body in detail. The
/// first fault is the answer.
next_step prepare(request& asked, timestamp now);

/// Turns the router's reply to `asked` into the response.
response complete(const request& asked, client_result result);

} // namespace gnomon::http
