#include "runtime/gateway/api.hpp"

#include "runtime/base/id_rules.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/uri.hpp"

namespace gnomon::http {

namespace {

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};

next_step prepare_item(request& asked, timestamp now) {
  if (asked.method == "GET" || asked.method == "HEAD")
    return prepare_read(asked);
  return prepare_write(asked, now);
}

} // namespace

caf::error invalid(std::string sentence) {
  return make_error(ec::invalid_argument, std::move(sentence));
}

response refusal(const caf::error& err) {
  return code_of(err) == ec::too_large ? problem(414, name(ec::too_large), sentence_of(err)) : problem(err);
}

response answer_done() {
  return response{204, {}, {}, 0, std::nullopt, false};
}

expected<std::string> id_parameter(const request& asked) {
  auto value = query_parameter(asked.query, "id", "data_id");
  if (!value)
    return value.error();
  if (!*value)
    return invalid("the query parameter id (or data_id) is missing");
  return checked_id(std::move(**value));
}

expected<std::string> user_parameter(const request& asked) {
  auto value = query_parameter(asked.query, "user", "user_id");
  if (!value)
    return value.error();
  return checked_user(value->value_or(""));
}

expected<std::string> checked_user(std::string user) {
  if (user.size() > max_id_bytes)
    return make_error(ec::too_large, "the user has more than 1,024 bytes");
  if (!is_utf8(user) || user.find('\0') != std::string::npos)
    return invalid("the user must be UTF-8 without NUL bytes");
  if (has_dot_segment(user))
    return invalid("the user has \".\" or \"..\" between slashes; nothing could be set or forgotten for such a user");
  return user;
}

next_step prepare(request& asked, timestamp now) {
  auto where = find_route(asked.path);
  if (auto refusal = refuse(asked, where))
    return std::move(*refusal);
  switch (where) {
  case endpoint::items:
    return prepare_list(asked);
  case endpoint::item:
    return prepare_item(asked, now);
  case endpoint::policies:
    return client_message{get_policies{}};
  case endpoint::effective_policy:
    return prepare_effective_policy(asked);
  case endpoint::default_policy:
  case endpoint::policy:
    return prepare_policy(asked, where);
  case endpoint::shadow:
    return prepare_shadow_drop(asked);
  case endpoint::shadow_create:
    return prepare_shadow_create(asked);
  case endpoint::shadow_status:
    return prepare_shadow_status(asked);
  case endpoint::route:
    return prepare_route(asked);
  case endpoint::cluster:
    return client_message{get_cluster{}};
  case endpoint::cluster_node:
    return prepare_removal(asked);
  case endpoint::watch:
    return prepare_watch(asked);
  case endpoint::train:
    return asked.method == "POST" ? prepare_train(asked, true) : client_message{list_trainings{}};
  case endpoint::training:
    return prepare_training(asked);
  case endpoint::predict:
    return prepare_predict(asked);
  case endpoint::reads:
    return prepare_reads(asked);
  case endpoint::user:
    return prepare_forget(asked);
  case endpoint::live:
    return own_page::live;
  case endpoint::ready:
    return own_page::ready;
  case endpoint::metrics:
    return own_page::metrics;
  case endpoint::openapi:
    return own_page::openapi;
  case endpoint::unknown:
    break;
  }
  return problem(404, "unknown-path", "there is nothing at this path");
}

response complete(const request& asked, client_result result) {
  auto where = find_route(asked.path);
  return std::visit(overloaded{
                        [](const caf::error& err) { return problem(err); },
                        [&](const item_versions& item) { return answer_read(asked, item); },
                        [&](const write_receipt& receipt) { return answer_write(asked, receipt); },
                        [&](const item_page& page) { return answer_list(asked, page); },
                        [](const shadow_plan& plan) { return answer_shadow_create(plan); },
                        [](const shadow_report& report) { return answer_shadow_status(report); },
                        [&](const policy_list& list) { return answer_policy(asked, where, list); },
                        [&](const route_list& found) { return answer_route(asked, found); },
                        [](const cluster_report& report) { return answer_cluster(report); },
                        [](const node_removal& removal) { return answer_removal(removal); },
                        [](const prediction& found) { return answer_predict(found); },
                        [](const forget_receipt&) { return answer_done(); },
                        [&](const training_status& status) { return answer_training(asked, status); },
                        [](const effective_policy& found) { return answer_effective_policy(found); },
                        [](const training_list& list) { return answer_trainings(list); },
                        [](const reads_receipt& receipt) { return answer_reads(receipt); },
                        [](const shadow_drop&) { return answer_done(); },
                        [&](const item_count& count) { return answer_count(asked, count); },
                        [](const change_page& page) { return momentary("text/event-stream", events_of(page)); },
                    },
                    result);
}

} // namespace gnomon::http
