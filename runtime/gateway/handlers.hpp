#pragma once

#include "runtime/gateway/api.hpp"

/// The parts of the API: for each kind of thing a function from a request to a message, and one from a reply to a
/// response. `api.cpp` puts them together. A `next_step` that holds a response is a refusal.
namespace gnomon::http {

// -- items (items.cpp) ------------------------------------------------------------------------------------------------

next_step prepare_read(const request& asked);
next_step prepare_write(request& asked, timestamp now);
next_step prepare_list(const request& asked); // or a count
response answer_write(const request& asked, const write_receipt& receipt);
response answer_list(const request& asked, const item_page& page);
response answer_count(const request& asked, const item_count& count);

/// The end of an item's ETag when its versions are JSON. The rest is as in their other form.
inline constexpr std::string_view json_tag_end = "-json\"";

/// A read, with its conditions, ranges and conflicts (read_answer.cpp).
response answer_read(const request& asked, const item_versions& item);

// -- shadows, routes, the cluster (placement_pages.cpp) ---------------------------------------------------------------

next_step prepare_shadow_create(const request& asked);
next_step prepare_shadow_drop(const request& asked);
next_step prepare_shadow_status(const request& asked);
next_step prepare_route(const request& asked);
response answer_shadow_create(const shadow_plan& plan);
response answer_shadow_status(const shadow_report& report);
response answer_route(const request& asked, const route_list& found);
next_step prepare_removal(const request& asked);
response answer_cluster(const cluster_report& report);
response answer_removal(const node_removal& removal);

// -- policies (policies.cpp) ------------------------------------------------------------------------------------------

next_step prepare_policy(const request& asked, endpoint where);
response answer_policy(const request& asked, endpoint where, const policy_list& list);
next_step prepare_effective_policy(const request& asked);
response answer_effective_policy(const effective_policy& found);

// -- predictions (prediction_pages.cpp) -------------------------------------------------------------------------------

next_step prepare_predict(const request& asked);
next_step prepare_forget(const request& asked);
next_step prepare_reads(const request& asked);
response answer_predict(const prediction& found);
response answer_reads(const reads_receipt& receipt);

// -- training (training_pages.cpp) ------------------------------------------------------------------------------------

/// Takes the body, or the piece of it that has arrived. `last`: nothing follows.
next_step prepare_train(request& asked, bool last);
next_step prepare_training(const request& asked);
response answer_training(const request& asked, const training_status& status);
response answer_trainings(const training_list& list);

// -- changes (watch_stream.cpp)
// ----------------------------------------------------------------------------------------

next_step prepare_watch(const request& asked);
/// As server-sent events; a comment when there are none.
std::string events_of(const change_page& page);

// -- shared (api.cpp) -------------------------------------------------------------------------------------------------

/// The refusal of a bad parameter.
caf::error invalid(std::string sentence);

/// The problem document for a fault found while a request was prepared. A part that is too large is then in its
/// address.
response refusal(const caf::error& err);

template <class T>
next_step step_for(expected<T> message) {
  if (!message)
    return refusal(message.error());
  return client_message{std::move(*message)};
}

/// There is nothing to say beyond that it is done.
response answer_done();

/// The required query parameter `id`, or `data_id`. Errors: invalid_argument, too_large.
expected<std::string> id_parameter(const request& asked);

/// The query parameter `user`, or `user_id`; empty when it is absent. Errors: invalid_argument, too_large.
expected<std::string> user_parameter(const request& asked);

/// The rule for users who are named in a request. Errors: invalid_argument, too_large.
expected<std::string> checked_user(std::string user);

} // namespace gnomon::http
