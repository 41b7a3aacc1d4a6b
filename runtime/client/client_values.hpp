#pragma once

#include "actors/messages/messages.hpp"
#include "gnomon/client.hpp"
#include "runtime/access/token.hpp"

#include <optional>
#include <vector>

/// Converts between messages and the types of the public headers. Pure.
namespace gnomon {

/// Errors: invalid_argument for a bad id or context, too_large.
expected<read_item> to_request(const std::string& id, const get_options& options);
expected<write_item> to_request(const std::string& id, std::string value, const put_options& options, bool deleted);
/// `scope` as in `policy_setting`. Errors: invalid_argument.
expected<put_policy> to_request(const policy_setting& rule);
/// Errors: invalid_argument for a bad id, a bad count, or too many entries.
expected<report_reads> to_request(const std::vector<reported_read>& reads);
/// A token whose text the caller keeps. Errors: invalid_argument.
expected<put_token> to_request(const token_entry& wish, const new_token& made);

/// Nothing when every version is a tombstone.
std::optional<item> to_public(const item_versions& found);
/// What came of `request`. Errors: not_found, precondition_failed (`if_match`), invalid_argument (nothing in the
/// range).
expected<item> to_public(const item_versions& found, const read_item& request);
put_receipt to_public(const write_receipt& receipt);
item_list to_public(const item_page& page);
item_counts to_public(const item_count& count);
shadow_creation to_public(const shadow_plan& plan);
item_status to_public(const shadow_report& report);
std::vector<route_entry> to_public(const route_list& routes);
std::vector<policy_setting> to_public(const policy_list& policies);
policy_in_force to_public(const effective_policy& found);
std::vector<token_entry> to_public(const token_list& list);
cluster_status to_public(const cluster_report& report);
removal to_public(const node_removal& done);
user_prediction to_public(const prediction& found);
training_report to_public(const training_status& status);
std::vector<training_report> to_public(const training_list& list);
uint32_t to_public(const forget_receipt& receipt);

/// Throws the `failure` that the public headers promise for `reason`.
[[noreturn]] void raise(const caf::error& reason);

} // namespace gnomon
