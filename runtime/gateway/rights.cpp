#include "runtime/gateway/rights.hpp"

#include "runtime/base/ids.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <concepts>

namespace gnomon::http {

namespace {

constexpr std::string_view scheme = "bearer ";

response forbidden(std::string_view sentence) {
  return problem(403, "forbidden", sentence);
}

template <class Message, class... Listed>
concept is_one_of = (std::same_as<Message, Listed> || ...);

/// Listed one by one: a message that is not is for nobody whose data types are limited.
template <class Message>
concept about_one_item = is_one_of<Message, read_item, write_item, create_shadow, get_shadow_status, get_route,
                                   get_effective_policy, drop_shadow>;

/// The data type of all items that a message is about. Nothing when it is about others as well, or about no items.
struct type_of_message {
  using found = std::optional<std::string_view>;
  template <about_one_item Message>
  found operator()(const Message& m) const {
    return data_type(m.id);
  }
  found operator()(const report_reads& m) const {
    auto of_first = [&](const read_report& read) { return data_type(read.id) == data_type(m.reads.front().id); };
    return std::all_of(m.reads.begin(), m.reads.end(), of_first) && !m.reads.empty()
               ? found{data_type(m.reads.front().id)}
               : std::nullopt;
  }
  found operator()(const list_items& m) const {
    return of_prefix(m.prefix);
  }
  found operator()(const count_items& m) const {
    return of_prefix(m.prefix);
  }
  found operator()(const follow_changes& m) const {
    if (m.scope == follow_scope::cluster)
      return std::nullopt;
    return m.scope == follow_scope::prefix ? of_prefix(m.name) : found{data_type(m.name)};
  }
  template <class Message>
  found operator()(const Message&) const {
    return std::nullopt;
  }

  static found of_prefix(std::string_view prefix) {
    return prefix.find('/') == std::string_view::npos ? std::nullopt : found{data_type(prefix)};
  }
};

} // namespace

std::string_view bearer_token(std::string_view authorization) {
  if (authorization.size() < scheme.size() || !same_ignoring_case(authorization.substr(0, scheme.size()), scheme))
    return {};
  return trimmed(authorization.substr(scheme.size()));
}

response unauthorized(bool shown) {
  auto answer =
      problem(401, "unauthorized",
              shown ? "the token is not in force: it may have been revoked, or its time may be over"
                    : "show a token, as Authorization: Bearer TOKEN, or the certificate of a client; an administrator "
                      "makes tokens with gnomon token create");
  answer.headers.emplace_back("WWW-Authenticate",
                              shown ? "Bearer realm=\"gnomon\", error=\"invalid_token\"" : "Bearer realm=\"gnomon\"");
  return answer;
}

std::optional<response> refuse_role(const grant_ptr& who, role needed, bool shown) {
  if (needed == role::none || (who && who->has(needed)))
    return std::nullopt;
  if (!who)
    return unauthorized(shown);
  return forbidden(
      fmt::format("this needs the role {}, and {} has the role {}", name(needed), who->who, name(who->may)));
}

std::optional<response> refuse_scope(const grant& who, const client_message& message) {
  if (who.types.empty() || std::holds_alternative<get_cluster>(message))
    return std::nullopt;
  if (auto type = std::visit(type_of_message{}, message); type && who.covers(*type))
    return std::nullopt;
  return forbidden(fmt::format("{} is for items of these data types: {}. Lists and streams need a prefix such as {}/",
                               who.who, fmt::join(who.types, ", "), who.types.front()));
}

void sign(client_message& message, const asker& by) {
  std::visit(
      [&](auto& request) {
        if constexpr (requires { request.by; })
          request.by = by;
      },
      message);
}

} // namespace gnomon::http
