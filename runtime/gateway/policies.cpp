#include "actors/node/policy.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/percent.hpp"
#include "runtime/base/strict_json.hpp"
#include "runtime/base/times.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/json.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

constexpr std::string_view policy_path = "/policy/";

struct policy_name {
  policy_scope scope = policy_scope::fallback;
  std::string name;
};

expected<policy_name> parse_name(const request& asked, endpoint where) {
  if (where == endpoint::default_policy)
    return policy_name{};
  auto rest = std::string_view{asked.path}.substr(policy_path.size());
  auto slash = rest.find('/');
  auto scope = scope_from(rest.substr(0, slash));
  if (!scope)
    return make_error(ec::invalid_argument,
                      "policies are for default, type, user or item; the path names another scope");
  if (*scope == policy_scope::fallback)
    return make_error(ec::invalid_argument, "the default policy has no name; use /policy/default");
  auto decoded = percent_decode(rest.substr(slash + 1));
  if (!decoded)
    return decoded.error();
  auto checked = checked_id(std::move(*decoded)); // users and types keep to the bounds of ids
  if (!checked)
    return make_error(code_of(checked.error()), "the policy's name is not possible: " + sentence_of(checked.error()));
  return policy_name{*scope, std::move(*checked)};
}

const policy_entry* find(const policy_list& list, const policy_name& wanted) {
  auto found = std::find_if(list.entries.begin(), list.entries.end(), [&](const policy_entry& entry) {
    return entry.scope == wanted.scope && entry.name == wanted.name && !entry.text.empty();
  });
  return found == list.entries.end() ? nullptr : &*found;
}

json page_of(const policy_entry& entry) {
  auto rule = parse_strict_json<json>(entry.text); // from any node, perhaps one with newer rules
  return {{"scope", name(entry.scope)},
          {"name", entry.name},
          {"policy", rule.good() ? std::move(rule.document) : json(nullptr)},
          {"changed", rfc3339(timestamp{duration{entry.stamp.millis}})}};
}

response answer_all(const policy_list& list) {
  auto entries = json::array();
  for (const auto& entry : list.entries)
    if (!entry.text.empty())
      entries.push_back(page_of(entry));
  return json_response(200, dump({{"policies", std::move(entries)}}));
}

} // namespace

next_step prepare_policy(const request& asked, endpoint where) {
  auto target = parse_name(asked, where);
  if (!target)
    return refusal(target.error());
  if (asked.method == "GET" || asked.method == "HEAD")
    return client_message{get_policies{}};
  put_policy message{target->scope, std::move(target->name), {}};
  if (asked.method == "DELETE")
    return client_message{std::move(message)};
  if (asked.body.size() > max_json_bytes)
    return problem(413, "too-large", "the body has more than 1 MiB; a policy needs a few fields only");
  if (auto document = parse_strictly(asked.body, ", for example {\"factor\": 3}"); !document)
    return refusal(document.error());
  message.text = asked.body;
  return client_message{std::move(message)};
}

next_step prepare_effective_policy(const request& asked) {
  auto id = id_parameter(asked);
  if (!id)
    return refusal(id.error());
  auto user = user_parameter(asked);
  if (!user)
    return refusal(user.error());
  return client_message{get_effective_policy{std::move(*id), std::move(*user)}};
}

response answer_effective_policy(const effective_policy& found) {
  auto from = json::object();
  for (const auto& origin : found.origins)
    from[origin.field] = {{"scope", origin.scope}, {"name", origin.name}};
  auto rule = parse_strict_json<json>(found.text);
  return json_response(200, dump({{"id", found.id},
                                  {"user", found.user},
                                  {"policy", rule.good() ? std::move(rule.document) : json(nullptr)},
                                  {"from", std::move(from)}}));
}

response answer_policy(const request& asked, endpoint where, const policy_list& list) {
  if (where == endpoint::policies)
    return answer_all(list);
  auto target = parse_name(asked, where);
  if (!target)
    return problem(target.error());
  if (asked.method == "DELETE")
    return answer_done();
  const auto* entry = find(list, *target);
  if (!entry)
    return problem(404, name(ec::not_found),
                   "there is no policy with this scope and name; /policy lists those there are");
  auto page = page_of(*entry);
  if (!list.warning.empty())
    page["warning"] = list.warning;
  return json_response(200, dump(page));
}

} // namespace gnomon::http
