#include "runtime/base/strict_json.hpp"
#include "runtime/shell/command.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json;

/// SCOPE [NAME] at the front of the arguments: only the default policy has no name.
policy_setting target_from(const arguments& args, size_t after) {
  auto& words = args.positional;
  policy_setting target{words[0], {}, {}};
  auto named = target.scope != "default";
  static constexpr std::array<std::string_view, 4> scopes{"default", "type", "user", "item"};
  if (std::find(scopes.begin(), scopes.end(), target.scope) == scopes.end())
    throw usage_error{fmt::format("'{}' is no scope: choose default, type, user or item", target.scope)};
  if (words.size() != 1 + named + after)
    throw usage_error{named ? fmt::format("'{}' needs a name, and nothing is left over: policy ... {} NAME{}", words[0],
                                          words[0], after ? " JSON" : "")
                            : "the default policy has no name"};
  if (named)
    target.name = words[1];
  return target;
}

json to_json(const policy_setting& p) {
  json one{{"scope", p.scope}};
  if (!p.name.empty())
    one["name"] = p.name;
  auto rule = parse_strict_json<json>(p.text);
  one["policy"] = rule.good() ? std::move(rule.document) : json(nullptr);
  return one;
}

int set_policy(session_context& context, const arguments& args) {
  auto target = target_from(args, 1);
  target.text = args.positional.back();
  auto warning = context.wait(context.node().set_policy_later(target));
  if (context.json)
    context.print(to_json(target));
  else
    context.to.out << "set; in force on every node that can be reached\n";
  if (!warning.empty())
    context.to.err << "warning: " << printable(warning) << '\n';
  return done;
}

int get_policy(session_context& context, const arguments& args) {
  auto target = target_from(args, 0);
  for (auto& p : context.wait(context.node().policies_later()))
    if (p.scope == target.scope && p.name == target.name) {
      if (context.json)
        context.print(to_json(p));
      else
        context.to.out << (context.to.out_is_tty ? printable(p.text) : p.text) << '\n';
      return done;
    }
  throw failure{ec::not_found, fmt::format("there is no policy for {} {}", target.scope, target.name)};
}

int del_policy(session_context& context, const arguments& args) {
  auto target = target_from(args, 0);
  context.wait(context.node().delete_policy_later(target.scope, target.name));
  if (!context.json)
    context.to.out << "deleted\n";
  return done;
}

int list_policies(session_context& context, const arguments&) {
  auto policies = context.wait(context.node().policies_later());
  if (context.json) {
    json all = json::array();
    for (auto& p : policies)
      all.push_back(to_json(p));
    context.print(all);
    return done;
  }
  table t{{"SCOPE", "NAME", "POLICY"}};
  for (auto& p : policies)
    t.row({p.scope, p.name, p.text});
  if (t.empty())
    context.to.err << "no policies: the defaults of each node's config hold\n";
  else
    t.print(context.to);
  return done;
}

/// Each field with its value and the policy that sets it.
int show_policy(session_context& context, const arguments& args) {
  auto found = context.wait(context.node().effective_policy_later(args.positional[0], args.get("--user")));
  auto rule = parse_strict_json<json>(found.text);
  if (!rule.good() || !rule.document.is_object())
    throw failure{ec::bad_message, "the node's answer is no policy"};
  if (context.json) {
    auto from = json::object();
    for (auto& origin : found.origins)
      from[origin.field] = {{"scope", origin.scope}, {"name", origin.name}};
    context.print({{"id", found.id}, {"user", found.user}, {"policy", rule.document}, {"from", from}});
    return done;
  }
  table t{{"FIELD", "VALUE", "FROM"}};
  for (auto& origin : found.origins)
    t.row({origin.field, rule.document.value(origin.field, json(nullptr)).dump(),
           origin.scope + (origin.name.empty() ? "" : " " + origin.name)});
  t.print(context.to);
  return done;
}

command policy_show_command() {
  return {
      .name = "policy show",
      .synopsis = "ID",
      .summary = "the policy in force for an item, and where each field comes from",
      .details =
          R"(  The item need not be there. FROM is the policy that sets the field; config: no policy does, and the
  node's config or its default holds.

  policy show news/1
  policy show news/1 --user ann
)",
      .options = {{"--user", "NAME", "as if that user wrote the item; by default who did"}},
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .run = show_policy,
  };
}

command policy_set_command() {
  return {
      .name = "policy set",
      .synopsis = "SCOPE [NAME] JSON",
      .summary = "set a policy on every node, at once and for good",
      .details = R"(  SCOPE is item, user, type (the part of an id before the first /) or default, which has no name.
  An item's policy wins over its creating user's, that over its type's, that over the default.
  Fields: factor, min_copies, ttl (seconds, or "adaptive"), acks (a number or "all"), conflicts ("siblings" or "lww"),
  residency (a list of regions), learn, routing ("serve" or "redirect"), durable ("stays" or "follows").

  policy set type news '{"factor": 4, "ttl": 3600}'
  policy set default '{"factor": 2}'
)",
      .least = 2,
      .most = 3,
      .offers = {offer::scopes, offer::scoped},
      .run = set_policy,
  };
}

command policy_get_command() {
  return {
      .name = "policy get",
      .synopsis = "SCOPE [NAME]",
      .summary = "print one policy",
      .least = 1,
      .most = 2,
      .offers = {offer::scopes, offer::policies},
      .run = get_policy,
  };
}

command policy_del_command() {
  return {
      .name = "policy del",
      .synopsis = "SCOPE [NAME]",
      .summary = "delete a policy on every node",
      .least = 1,
      .most = 2,
      .offers = {offer::scopes, offer::policies},
      .run = del_policy,
  };
}

command policy_list_command() {
  return {
      .name = "policy list",
      .synopsis = "",
      .summary = "list all policies",
      .long_answer = true,
      .run = list_policies,
  };
}

} // namespace

std::vector<command> policy_commands() {
  return {policy_set_command(), policy_get_command(), policy_del_command(), policy_list_command(),
          policy_show_command()};
}

} // namespace gnomon::shell
