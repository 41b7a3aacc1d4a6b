#include "runtime/client/client_values.hpp"

#include "actors/node/policy.hpp"
#include "runtime/base/byte_range.hpp"
#include "runtime/base/expiry.hpp"
#include "runtime/base/id_rules.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/request_id.hpp"

#include <utility>

namespace gnomon {

namespace {

expected<version_vector> read_context(const std::string& text) {
  if (text.empty())
    return version_vector{};
  return version_vector::from_text(text);
}

std::optional<double> known(double value) {
  return value < 0 ? std::nullopt : std::optional{value};
}

copy_status to_public(const copy_report& c) {
  auto never = c.expires == timestamp::max();
  return {.node = c.node,
          .region = c.region,
          .role = std::string{name(c.role)},
          .reason = c.role == holder_state::shadow ? std::string{name(c.reason)} : std::string{},
          .confidence = c.confidence,
          .etag = c.etag,
          .created = c.created,
          .expires = never ? time_point{} : c.expires,
          .bytes = c.bytes,
          .reads = c.reads,
          .demand = c.demand,
          .cost_bytes = c.cost_bytes,
          .saved = std::chrono::milliseconds{c.saved_ms},
          .spent_usd = c.spent_usd,
          .saved_usd = c.saved_usd,
          .why = c.why,
          .pinned = c.pinned,
          .reachable = c.reachable,
          .deleted = c.deleted};
}

std::optional<user_model_quality> to_public(const model_figures& f) {
  if (f.predictions == 0)
    return std::nullopt;
  return user_model_quality{f.recall_20, f.mrr_20, f.counting_recall_20, f.predictions};
}

std::optional<demand_model_quality> to_public(const demand_figures& f) {
  if (f.decisions == 0)
    return std::nullopt;
  return demand_model_quality{f.log_loss, f.calibration_error, f.decisions,
                              f.kind,     f.network_log_loss,  f.trees_log_loss};
}

} // namespace

// -- requests ---------------------------------------------------------------------------------------------------------

expected<read_item> to_request(const std::string& id, const get_options& options) {
  auto checked = checked_known_id(id);
  if (!checked)
    return checked.error();
  auto seen = read_context(options.context);
  if (!seen)
    return seen.error();
  read_item request;
  request.id = std::move(*checked);
  request.user = options.user;
  request.seen = std::move(*seen);
  request.condition = !options.if_match.empty()     ? read_condition::if_match
                      : !options.if_changed.empty() ? read_condition::if_changed
                                                    : read_condition::none;
  request.etag = options.if_match.empty() ? options.if_changed : options.if_match;
  request.range = options.range;
  request.strong = options.strong;
  if (!options.if_match.empty() && !options.if_changed.empty())
    return make_error(ec::invalid_argument, "if_match and if_changed exclude each other; give one of them");
  if (!options.range.empty() && parse_range(options.range, 1).what == byte_range::kind::whole) // it has no sense
    return make_error(ec::invalid_argument,
                      "'" + options.range + "' is no range; write one such as 0-99, 100- or -100");
  return request;
}

expected<write_item> to_request(const std::string& id, std::string value, const put_options& options, bool deleted) {
  auto checked = deleted ? checked_known_id(id) : checked_id(id);
  if (!checked)
    return checked.error();
  if (is_too_far(options.expires, std::chrono::time_point_cast<duration>(std::chrono::system_clock::now())))
    return make_error(ec::invalid_argument, "the item may end at most 100 years from now");
  if (value.size() > max_value_bytes)
    return make_error(ec::too_large, "the value has " + std::to_string(value.size()) + " bytes; at most "
                                         + std::to_string(max_value_bytes) + " are allowed");
  auto seen = read_context(options.context);
  if (!seen)
    return seen.error();
  write_item request;
  request.id = std::move(*checked);
  request.user = options.user;
  request.value = blob{std::move(value)};
  request.content_type = options.content_type;
  request.deleted = deleted;
  request.seen = std::move(*seen);
  request.condition = options.if_absent           ? write_condition::if_absent
                      : !options.if_match.empty() ? write_condition::if_match
                                                  : write_condition::none;
  request.etag = options.if_match;
  request.acks = options.acks;
  request.expires = options.expires;
  if (options.if_absent && !options.if_match.empty())
    return make_error(ec::invalid_argument, "if_absent and if_match exclude each other; give one of them");
  if (options.request_id.empty())
    return request;
  auto request_id = checked_request_id(options.request_id);
  if (!request_id)
    return request_id.error();
  request.request_id = std::move(*request_id);
  return request;
}

expected<put_policy> to_request(const policy_setting& rule) {
  if (auto scope = scope_from(rule.scope))
    return put_policy{*scope, rule.name, rule.text};
  return make_error(ec::invalid_argument, "'" + rule.scope + "' is no scope: choose default, type, user or item");
}

expected<report_reads> to_request(const std::vector<reported_read>& reads) {
  constexpr size_t most = 1000;
  constexpr uint32_t most_of_one = 1'000'000;
  if (reads.size() > most)
    return make_error(ec::invalid_argument, "at most 1,000 reads can be reported at once");
  report_reads request;
  for (const auto& read : reads) {
    auto id = checked_known_id(read.id);
    if (!id)
      return id.error();
    if (read.count < 1 || read.count > most_of_one)
      return make_error(ec::invalid_argument, "a count must lie between 1 and 1000000");
    request.reads.push_back({std::move(*id), read.user, read.count});
  }
  return request;
}

expected<put_token> to_request(const token_entry& wish, const new_token& made) {
  const auto may = role_from(wish.role);
  if (!may || *may == role::none)
    return make_error(ec::invalid_argument, "'" + wish.role + "' is no role: choose read, write or admin");
  token_record record{made.id, wish.name, *may, wish.types, made.hash};
  record.created = std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
  record.expires = wish.expires == time_point{} ? timestamp::max() : timestamp{wish.expires};
  return put_token{std::move(record)};
}

// -- answers ----------------------------------------------------------------------------------------------------------

std::optional<item> to_public(const item_versions& found) {
  item result;
  for (size_t i = 0; i < found.versions.siblings.size(); ++i) {
    auto& sibling = found.versions.siblings[i];
    if (sibling.deleted)
      continue;
    result.versions.push_back({.value = i < found.values.size() ? found.values[i].view() : std::string{},
                               .content_type = sibling.content_type,
                               .user = sibling.user,
                               .written = time_point{std::chrono::milliseconds{sibling.stamp.millis}},
                               .expires = sibling.expires,
                               .bytes = sibling.bytes});
  }
  if (result.versions.empty())
    return std::nullopt;
  result.id = found.id;
  result.context = found.versions.context.to_text();
  result.etag = found.versions.etag();
  result.served_by = found.served_by;
  result.copy = name(found.copy);
  result.stale = found.stale;
  return result;
}

/// The answer to a read with conditions or a range. Errors: precondition_failed, invalid_argument.
expected<item> to_public(const item_versions& found, const read_item& request) {
  auto result = to_public(found);
  if (!result)
    return make_error(ec::not_found, "there is no item '" + request.id + "'");
  auto same = request.etag == result->etag;
  if (request.condition == read_condition::if_match && !same)
    return make_error(ec::precondition_failed, "the item has another ETag now: " + result->etag);
  result->unchanged = request.condition == read_condition::if_changed && same;
  if (result->unchanged || request.range.empty() || result->versions.size() != 1)
    return std::move(*result);
  auto size = result->versions.front().bytes;
  auto part = parse_range(request.range, size);
  if (part.what == byte_range::kind::unsatisfiable)
    return make_error(ec::invalid_argument,
                      "the value has " + std::to_string(size) + " bytes, and none of them is in " + request.range);
  result->offset = part.first;
  return std::move(*result);
}

put_receipt to_public(const write_receipt& r) {
  return {r.id, r.context.to_text(), r.etag, r.created, r.acks, r.served_by, r.versions};
}

item_list to_public(const item_page& page) {
  item_list result;
  result.more = page.more;
  for (auto& i : page.items)
    result.items.push_back({i.id, i.bytes, i.content_type, std::string{name(i.role)}, i.versions});
  return result;
}

item_counts to_public(const item_count& count) {
  return {count.here, count.everywhere, count.complete};
}

shadow_creation to_public(const shadow_plan& plan) {
  shadow_creation result{plan.id, plan.factor, {}, plan.shortfall};
  for (auto& c : plan.copies)
    result.copies.push_back({c.node, c.region, std::string{name(c.role)}, c.present});
  return result;
}

item_status to_public(const shadow_report& report) {
  item_status result{report.id, report.factor, report.min_copies, report.steward, {}, report.deleted};
  for (auto& c : report.copies)
    result.copies.push_back(to_public(c));
  return result;
}

std::vector<route_entry> to_public(const route_list& routes) {
  std::vector<route_entry> result;
  for (auto& c : routes.choices)
    result.push_back(
        {c.node, c.region, c.holds, c.live, known(c.rtt_ms), known(c.distance_km), known(c.expected_ms), c.reason});
  return result;
}

std::vector<policy_setting> to_public(const policy_list& policies) {
  std::vector<policy_setting> result;
  for (auto& e : policies.entries)
    if (!e.text.empty())
      result.push_back({std::string{name(e.scope)}, e.name, e.text});
  return result;
}

policy_in_force to_public(const effective_policy& found) {
  policy_in_force result{found.id, found.user, found.text, {}};
  for (const auto& origin : found.origins)
    result.origins.push_back({origin.field, origin.scope, origin.name});
  return result;
}

std::vector<token_entry> to_public(const token_list& list) {
  std::vector<token_entry> entries;
  for (const auto& record : list.tokens)
    entries.push_back({record.name, std::string{name(record.may)}, record.types, record.created,
                       record.expires == timestamp::max() ? time_point{} : time_point{record.expires}});
  return entries;
}

cluster_status to_public(const cluster_report& report) {
  cluster_status result;
  result.self = report.self;
  for (auto& n : report.nodes) {
    result.nodes.push_back({.node = n.node,
                            .region = n.region,
                            .address = n.address,
                            .where = {n.latitude, n.longitude},
                            .state = n.node == report.self ? "self" : std::string{name(n.state)},
                            .rtt_ms = known(n.rtt_ms),
                            .items = n.items,
                            .shadows = n.shadows,
                            .bytes = n.bytes,
                            .silent = {},
                            .fresh = n.fresh,
                            .caught_up = n.caught_up});
    if (n.silent_ms >= 0)
      result.nodes.back().silent = std::chrono::milliseconds{n.silent_ms};
  }
  result.catching_up = std::chrono::milliseconds{report.catching_up_ms};
  result.repair = {report.repair.active, report.repair.checked, report.repair.repaired, report.repair.failed};
  for (auto& gone : report.removed)
    result.removed.push_back(gone.node);
  return result;
}

removal to_public(const node_removal& done) {
  return {done.node, done.items};
}

void raise(const caf::error& reason) {
  throw failure{code_of(reason), sentence_of(reason)};
}

user_prediction to_public(const prediction& found) {
  user_prediction result{found.user, found.served_by, found.model, {}, found.repeats_left_out};
  for (const auto& item : found.items)
    result.items.push_back({item.id, item.confidence, item.worth_copying, item.holders, item.regions});
  return result;
}

training_report to_public(const training_status& s) {
  training_report result;
  result.job = s.job;
  result.state = name(s.phase);
  result.lines = s.lines;
  result.accesses = s.accesses;
  result.bad_lines = s.bad_lines;
  result.left_out = s.left_out;
  result.withheld = s.withheld;
  result.learned = s.learned;
  for (const auto& complaint : s.complaints)
    result.complaints.emplace_back(complaint.line, complaint.reason);
  result.progress = s.progress;
  result.seconds_left = s.seconds_left;
  result.events_per_second = s.events_per_second;
  result.users = to_public(s.users);
  result.running_users = to_public(s.running_users);
  result.demand = to_public(s.demand);
  result.running_demand = to_public(s.running_demand);
  result.model = s.model;
  result.reason = s.reason;
  return result;
}

std::vector<training_report> to_public(const training_list& list) {
  std::vector<training_report> result;
  for (const auto& job : list.jobs)
    result.push_back(to_public(job));
  return result;
}

uint32_t to_public(const forget_receipt& receipt) {
  return receipt.regions;
}

} // namespace gnomon
