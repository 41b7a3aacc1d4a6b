#include "actors/node/policy.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/strict_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace gnomon {

namespace {

using nlohmann::json;

constexpr uint32_t max_copies = 64;
constexpr int64_t max_ttl_seconds = 10 * 365 * 86'400; // ten years

caf::error bad_policy(const std::string& sentence) {
  return make_error(ec::invalid_argument, sentence);
}

caf::error bad_field(std::string_view field, std::string_view allowed) {
  return bad_policy("the policy field \"" + std::string{field} + "\" must be " + std::string{allowed});
}

bool is_count(const json& x) {
  return x.is_number_unsigned() && x >= 1u && x <= max_copies;
}

caf::error read_factor(const json& x, policy_rule& rule) {
  if (!is_count(x))
    return bad_field("factor", "a whole number from 1 to 64");
  rule.factor = x.get<uint32_t>();
  return {};
}

caf::error read_min_copies(const json& x, policy_rule& rule) {
  if (!is_count(x))
    return bad_field("min_copies", "a whole number from 1 to 64");
  rule.min_copies = x.get<uint32_t>();
  return {};
}

caf::error read_ttl(const json& x, policy_rule& rule) {
  if (x == "adaptive") {
    rule.ttl = adaptive_lifetime;
    return {};
  }
  if (!x.is_number() || x.get<double>() < 0 || x.get<double>() > static_cast<double>(max_ttl_seconds))
    return bad_field("ttl", "\"adaptive\", or a number of seconds from 0 (no end) to 315360000 (ten years)");
  auto seconds = x.get<double>();
  rule.ttl = duration{seconds > 0 ? std::max(1LL, std::llround(seconds * 1000)) : 0}; // zero would have no end
  return {};
}

caf::error read_acks(const json& x, policy_rule& rule) {
  if (x != "all" && !is_count(x))
    return bad_field("acks", "a whole number from 1 to 64, or \"all\"");
  rule.acks = x.is_string() ? acks_all : x.get<uint32_t>();
  return {};
}

caf::error read_conflicts(const json& x, policy_rule& rule) {
  if (x != "siblings" && x != "lww")
    return bad_field("conflicts", "\"siblings\" or \"lww\"");
  rule.conflicts = x == "lww" ? conflict_rule::lww : conflict_rule::siblings;
  return {};
}

caf::error read_residency(const json& x, policy_rule& rule) {
  auto is_region = [](const json& r) { return r.is_string() && !r.get_ref<const std::string&>().empty(); };
  if (!x.is_array() || x.size() > max_copies || !std::all_of(x.begin(), x.end(), is_region))
    return bad_field("residency", "a list of at most 64 region names; an empty list allows every region");
  rule.residency = x.get<std::vector<std::string>>();
  return {};
}

caf::error read_learn(const json& x, policy_rule& rule) {
  if (!x.is_boolean() && x != "yes" && x != "no")
    return bad_field("learn", "true or false (or \"yes\" or \"no\")");
  rule.learn = x.is_boolean() ? x.get<bool>() : x == "yes";
  return {};
}

caf::error read_routing(const json& x, policy_rule& rule) {
  if (x != "serve" && x != "redirect")
    return bad_field("routing", "\"serve\" or \"redirect\"");
  rule.routing = x == "redirect" ? routing_rule::redirect : routing_rule::serve;
  return {};
}

caf::error read_durable(const json& x, policy_rule& rule) {
  if (x != "stays" && x != "follows")
    return bad_field("durable", "\"stays\" or \"follows\"");
  rule.durable = x == "follows" ? durable_rule::follows : durable_rule::stays;
  return {};
}

struct field_reader {
  std::string_view name;
  caf::error (*read)(const json&, policy_rule&);
};

constexpr std::array<field_reader, 9> fields{{{"factor", read_factor},
                                              {"min_copies", read_min_copies},
                                              {"ttl", read_ttl},
                                              {"acks", read_acks},
                                              {"conflicts", read_conflicts},
                                              {"residency", read_residency},
                                              {"learn", read_learn},
                                              {"routing", read_routing},
                                              {"durable", read_durable}}};

caf::error read_field(const std::string& name, const json& x, policy_rule& rule) {
  for (const auto& field : fields)
    if (field.name == name)
      return field.read(x, rule);
  return bad_policy(
      "the policy field \"" + name
      + "\" is unknown; there are factor, min_copies, ttl, acks, conflicts, residency, learn, routing and durable");
}

expected<json> parse_object(const std::string& text) {
  auto parsed = parse_strict_json(text);
  if (!parsed.document.is_object())
    return bad_policy("the policy is not a JSON object; send one such as {\"factor\": 3, \"ttl\": 3600}");
  if (parsed.document.empty())
    return bad_policy("the policy sets nothing; give at least one field, or delete the policy instead");
  if (parsed.repeated)
    return bad_policy("the policy field \"" + *parsed.repeated + "\" is there twice; give it once");
  return std::move(parsed.document);
}

/// The place of the first of `rules`, most specific first, that sets the field; their number when none does.
template <class T>
size_t decider(const std::array<const policy_rule*, 4>& rules, std::optional<T> policy_rule::*field) {
  auto sets = [field](const policy_rule* rule) { return rule && rule->*field; };
  return static_cast<size_t>(std::find_if(rules.begin(), rules.end(), sets) - rules.begin());
}

template <class T>
void decide(T& result, const std::array<const policy_rule*, 4>& rules, std::optional<T> policy_rule::*field) {
  if (auto place = decider(rules, field); place < rules.size())
    result = *(rules[place]->*field);
}

/// The place in a chain of rules that decides each field.
std::vector<std::pair<std::string_view, size_t>> deciders(const std::array<const policy_rule*, 4>& rules) {
  return {{"factor", decider(rules, &policy_rule::factor)},
          {"min_copies", decider(rules, &policy_rule::min_copies)},
          {"ttl", decider(rules, &policy_rule::ttl)},
          {"acks", decider(rules, &policy_rule::acks)},
          {"conflicts", decider(rules, &policy_rule::conflicts)},
          {"residency", decider(rules, &policy_rule::residency)},
          {"learn", decider(rules, &policy_rule::learn)},
          {"routing", decider(rules, &policy_rule::routing)},
          {"durable", decider(rules, &policy_rule::durable)}};
}

policy_origin origin_of(std::string_view field, size_t place, const std::string& id, const std::string& user) {
  constexpr std::array<std::string_view, 5> scopes{"item", "user", "type", "default", "config"};
  const std::array<std::string, 5> names{id, user, std::string{data_type(id)}, {}, {}};
  return {std::string{field}, std::string{scopes.at(place)}, names.at(place)};
}

/// All fields in the JSON of a policy. `residency`: an empty list allows every region, null none.
std::string text_of(const policy& all) {
  policy_rule rule{all.factor,    all.min_copies, all.ttl,     all.acks,   all.conflicts,
                   all.residency, all.learn,      all.routing, all.durable};
  if (!all.residency)
    rule.residency.emplace();
  auto object = json::parse(rule.to_json());
  if (all.residency && all.residency->empty())
    object["residency"] = nullptr;
  return object.dump();
}

std::vector<std::string> users_of_values(const version_set& versions) {
  std::vector<std::string> users;
  for (const auto& s : versions.siblings)
    if (!s.deleted && std::find(users.begin(), users.end(), s.user) == users.end())
      users.push_back(s.user);
  return users;
}

} // namespace

expected<policy_rule> policy_rule::from_json(const std::string& text) {
  auto object = parse_object(text);
  if (!object)
    return object.error();
  policy_rule rule;
  for (const auto& [name, x] : object->items())
    if (auto refused = read_field(name, x, rule))
      return refused;
  if (rule.factor && rule.min_copies && *rule.min_copies > *rule.factor)
    return bad_field("min_copies", "at most the factor, which is " + std::to_string(*rule.factor));
  return rule;
}

std::string policy_rule::to_json() const {
  auto object = json::object();
  if (factor)
    object["factor"] = *factor;
  if (min_copies)
    object["min_copies"] = *min_copies;
  if (ttl && *ttl == adaptive_lifetime)
    object["ttl"] = "adaptive";
  else if (ttl && ttl->count() % 1000 == 0)
    object["ttl"] = ttl->count() / 1000;
  else if (ttl)
    object["ttl"] = static_cast<double>(ttl->count()) / 1000;
  if (acks)
    object["acks"] = *acks == acks_all ? json("all") : json(*acks);
  if (conflicts)
    object["conflicts"] = *conflicts == conflict_rule::lww ? "lww" : "siblings";
  if (residency)
    object["residency"] = *residency;
  if (learn)
    object["learn"] = *learn;
  if (routing)
    object["routing"] = *routing == routing_rule::redirect ? "redirect" : "serve";
  if (durable)
    object["durable"] = *durable == durable_rule::follows ? "follows" : "stays";
  return object.dump();
}

bool policy::allows(std::string_view region) const {
  return !residency || std::find(residency->begin(), residency->end(), region) != residency->end();
}

void policy::narrow(const policy& other) {
  if (!residency)
    residency = other.residency;
  else
    std::erase_if(*residency, [&](const std::string& region) { return !other.allows(region); });
}

policy policy_table::resolve(std::string_view id, std::string_view user, const settings& defaults) const {
  policy result;
  result.factor = defaults.factor;
  result.min_copies = defaults.min_copies;
  result.ttl = defaults.shadow_ttl;
  result.acks = defaults.acks;
  result.conflicts = defaults.last_writer_wins ? conflict_rule::lww : conflict_rule::siblings;
  result.durable = defaults.durable_follows ? durable_rule::follows : durable_rule::stays;
  auto rules = rules_for(id, user);
  decide(result.factor, rules, &policy_rule::factor);
  decide(result.min_copies, rules, &policy_rule::min_copies);
  decide(result.ttl, rules, &policy_rule::ttl);
  decide(result.acks, rules, &policy_rule::acks);
  decide(result.conflicts, rules, &policy_rule::conflicts);
  std::vector<std::string> regions; // a rule that names none allows all
  decide(regions, rules, &policy_rule::residency);
  if (!regions.empty())
    result.residency = std::move(regions);
  decide(result.learn, rules, &policy_rule::learn);
  decide(result.routing, rules, &policy_rule::routing);
  decide(result.durable, rules, &policy_rule::durable);
  result.min_copies = std::min(result.min_copies, result.factor); // they may come from different rules
  return result;
}

policy policy_table::resolve_versions(std::string_view id, const version_set& versions,
                                      const settings& defaults) const {
  auto result = resolve(id, versions.creator(), defaults);
  result.residency = resolve(id, {}, defaults).residency;
  auto first = true;
  for (const auto& s : versions.siblings) {
    if (s.deleted)
      continue;
    auto rules = resolve(id, s.user, defaults);
    if (std::exchange(first, false))
      result.residency = std::move(rules.residency);
    else
      result.narrow(rules);
  }
  return result;
}

effective_policy policy_table::explain(const get_effective_policy& wanted, const version_set& versions,
                                       const settings& defaults) const {
  auto as_it_is = wanted.user.empty() && !versions.siblings.empty();
  auto user = as_it_is ? std::string{versions.creator()} : wanted.user;
  auto rules = as_it_is ? resolve_versions(wanted.id, versions, defaults) : resolve(wanted.id, user, defaults);
  effective_policy result{wanted.id, user, text_of(rules), {}};
  auto writers = as_it_is ? users_of_values(versions) : std::vector<std::string>{};
  auto chain = rules_for(wanted.id, user);
  auto least = defaults.min_copies;
  decide(least, chain, &policy_rule::min_copies);
  for (auto [field, place] : deciders(chain)) {
    if (field == "min_copies" && least > rules.factor)
      place = decider(chain, &policy_rule::factor); // which bounds it
    result.origins.push_back(origin_of(field, place, wanted.id, user));
    if (field != "residency")
      continue;
    // Each writer's rule counts.
    auto& origin = result.origins.back();
    std::string restricting;
    for (const auto& writer : writers)
      if (decider(rules_for(wanted.id, writer), &policy_rule::residency) == 1)
        restricting += (restricting.empty() ? "" : ", ") + writer;
    if (!restricting.empty())
      origin = {std::string{field}, "user", restricting};
  }
  return result;
}

policy_table::rule_chain policy_table::rules_for(std::string_view id, std::string_view user) const {
  return {rule(policy_scope::item, id), rule(policy_scope::user, user), rule(policy_scope::type, data_type(id)),
          rule(policy_scope::fallback, {})};
}

bool policy_table::merge(const policy_entry& entry) {
  auto scope = static_cast<size_t>(entry.scope);
  if (scope >= rules_.size())
    return false;
  auto known = lookup(entry.scope, entry.name);
  // Two regions may draw one stamp: then the text decides, so that all tables end alike.
  if (known && std::tie(entry.stamp, entry.text) <= std::tie(known->entry.stamp, known->entry.text))
    return false;
  kept_rule next{entry, {}};
  if (!entry.text.empty()) {
    if (auto rule = policy_rule::from_json(entry.text))
      next.rule = *rule;
    else // from a newer version: kept and passed on, but without effect here
      log::warn("policy", "not-understood", {{"name", entry.name}, {"error", sentence_of(rule.error())}});
  }
  auto names_regions = [](const kept_rule& kept) { return kept.rule.residency && !kept.rule.residency->empty(); };
  if (known && names_regions(*known))
    --restrictions_;
  restrictions_ += names_regions(next) ? 1 : 0;
  auto& place = rules_[scope][part_of(entry.name)];
  if (!place)
    place = std::make_shared<part>();
  else if (place.use_count() > 1) // another table has it as well
    place = std::make_shared<part>(*place);
  place->insert_or_assign(entry.name, std::move(next));
  return true;
}

const policy_entry* policy_table::find(policy_scope scope, const std::string& name) const {
  auto known = lookup(scope, name);
  return known ? &known->entry : nullptr;
}

std::optional<std::vector<std::string>> policy_table::residency(policy_scope scope, std::string_view name) const {
  auto known = rule(scope, name);
  return known ? known->residency : std::nullopt;
}

std::vector<policy_entry> policy_table::entries_in_force() const {
  auto result = all_entries();
  std::erase_if(result, [](const policy_entry& entry) { return entry.text.empty(); });
  return result;
}

std::vector<policy_entry> policy_table::all_entries() const {
  std::vector<policy_entry> result;
  for (const auto& scope : rules_) {
    auto first = result.size();
    for (const auto& place : scope)
      if (place)
        for (const auto& [name, kept] : *place)
          result.push_back(kept.entry);
    std::sort(result.begin() + static_cast<ptrdiff_t>(first), result.end(),
              [](const policy_entry& a, const policy_entry& b) { return a.name < b.name; });
  }
  return result;
}

size_t policy_table::part_of(std::string_view name) {
  return stable_hash(name) % part_count;
}

const policy_table::kept_rule* policy_table::lookup(policy_scope scope, std::string_view name) const {
  const auto& place = rules_[static_cast<size_t>(scope) % rules_.size()][part_of(name)];
  if (!place)
    return nullptr;
  auto i = place->find(name);
  return i != place->end() ? &i->second : nullptr;
}

const policy_rule* policy_table::rule(policy_scope scope, std::string_view name) const {
  auto known = lookup(scope, name);
  return known ? &known->rule : nullptr;
}

} // namespace gnomon
