#define CAF_SUITE policy
#include "actors/node/policy.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <random>

using namespace gnomon;

namespace {

policy_rule rule_of(const std::string& text) {
  auto rule = policy_rule::from_json(text);
  if (!rule)
    CAF_FAIL(text << ": " << sentence_of(rule.error()));
  return *rule;
}

/// Whether `text` is refused with a sentence that holds `hint`.
bool refused(const std::string& text, const std::string& hint) {
  auto rule = policy_rule::from_json(text);
  if (rule)
    return false;
  auto sentence = sentence_of(rule.error());
  CAF_MESSAGE(text << ": " << sentence);
  return code_of(rule.error()) == ec::invalid_argument && sentence.find(hint) != std::string::npos;
}

policy_entry entry(policy_scope scope, std::string name, std::string text, int64_t stamp = 1) {
  return {scope, std::move(name), std::move(text), {stamp, 0}};
}

} // namespace

CAF_TEST(a_rule_sets_what_it_names_and_nothing_else) {
  auto rule = rule_of(R"({"factor": 4, "min_copies": 2, "ttl": 1.5, "acks": "all", "conflicts": "lww",
                          "residency": ["eu-central-1", "us-east-1"], "learn": "no"})");
  CAF_CHECK_EQUAL(*rule.factor, 4u);
  CAF_CHECK_EQUAL(*rule.min_copies, 2u);
  CAF_CHECK_EQUAL(rule.ttl->count(), 1500);
  CAF_CHECK_EQUAL(*rule.acks, acks_all);
  CAF_CHECK(*rule.conflicts == conflict_rule::lww);
  CAF_CHECK_EQUAL(rule.residency->size(), 2u);
  CAF_CHECK(!*rule.learn);
  CAF_CHECK_EQUAL(rule_of(R"({"ttl": 1e-9})").ttl->count(), 1);
  auto small = rule_of(R"({"acks": 64})");
  CAF_CHECK_EQUAL(*small.acks, 64u);
  CAF_CHECK(!small.factor && !small.min_copies && !small.ttl && !small.conflicts && !small.residency && !small.learn);
}

CAF_TEST(a_rule_written_as_json_reads_back_the_same) {
  for (auto text : {R"({"factor":1,"learn":true,"min_copies":1,"ttl":0})", R"({"acks":"all","conflicts":"siblings"})",
                    R"({"acks":7,"conflicts":"lww","residency":[]})", R"({"residency":["a"],"ttl":0.25})",
                    R"({"ttl":0.001})", R"({"ttl":"adaptive"})", R"({"durable":"follows"})", R"({"durable":"stays"})"})
    CAF_CHECK_EQUAL(rule_of(text).to_json(), text);
}

CAF_TEST(whatever_is_wrong_with_a_rule_is_named) {
  for (auto text : {"", "x", "[]", "3", "{", R"({"factor":3}x)", "\"factor\"", "{\"factor\":\xFF}"})
    CAF_CHECK(refused(text, "JSON object"));
  CAF_CHECK(refused("{}", "at least one field"));
  CAF_CHECK(refused(R"({"factor":3,"colour":1})", "\"colour\" is unknown"));
  CAF_CHECK(refused(R"({"factor":3,"factor":4})", "\"factor\" is there twice"));
  for (auto value : {"0", "65", "1000", "-1", "2.5", "\"3\"", "null", "true", "[]", "1e300", "99999999999999999999"})
    for (auto field : {"factor", "min_copies", "acks"})
      CAF_CHECK(refused("{\"" + std::string{field} + "\":" + value + "}", field));
  for (auto value : {"-1", "-0.5", "315360001", "1e300", "\"1h\"", "null", "{}"})
    CAF_CHECK(refused("{\"ttl\":" + std::string{value} + "}", "\"ttl\" must be"));
  CAF_CHECK(refused(R"({"ttl":"adaptively"})", "\"ttl\" must be"));
  CAF_CHECK(refused(R"({"conflicts":"newest"})", "\"conflicts\" must be"));
  for (auto value : {"\"eu\"", "[1]", "[\"\"]", "null"})
    CAF_CHECK(refused("{\"residency\":" + std::string{value} + "}", "\"residency\" must be"));
  CAF_CHECK(refused(R"({"learn":1})", "\"learn\" must be"));
  CAF_CHECK(refused(R"({"durable":true})", "\"durable\" must be"));
  CAF_CHECK(refused(R"({"factor":2,"min_copies":3})", "\"min_copies\" must be at most the factor"));
}

CAF_TEST(the_most_specific_rule_decides_each_field) {
  policy_table table;
  settings defaults;
  auto plain = table.resolve("news/1", "ada", defaults);
  CAF_CHECK_EQUAL(plain.factor, defaults.factor);
  CAF_CHECK(plain.ttl == defaults.shadow_ttl);
  CAF_CHECK(plain.allows("anywhere"));
  table.merge(entry(policy_scope::fallback, "", R"({"factor":4,"acks":2,"ttl":60,"min_copies":1})"));
  table.merge(entry(policy_scope::type, "news", R"({"factor":5,"acks":3,"residency":["eu"]})"));
  table.merge(entry(policy_scope::user, "ada", R"({"factor":6,"acks":4})"));
  table.merge(entry(policy_scope::item, "news/1", R"({"factor":7})"));
  auto all = table.resolve("news/1", "ada", defaults);
  CAF_CHECK_EQUAL(all.factor, 7u);
  CAF_CHECK_EQUAL(all.acks, 4u);
  CAF_CHECK(all.ttl == std::chrono::minutes{1});
  CAF_CHECK_EQUAL(all.min_copies, 1u);
  CAF_CHECK(all.allows("eu") && !all.allows("us"));
  CAF_CHECK_EQUAL(table.resolve("news/2", "ada", defaults).factor, 6u);
  CAF_CHECK_EQUAL(table.resolve("news/2", "bob", defaults).factor, 5u);
  CAF_CHECK_EQUAL(table.resolve("mail/2", "bob", defaults).factor, 4u);
  CAF_CHECK_EQUAL(table.resolve("news", "", defaults).factor, 5u);
}

CAF_TEST(never_are_more_durable_copies_asked_for_than_copies) {
  policy_table table;
  table.merge(entry(policy_scope::item, "a", R"({"factor":1})"));
  CAF_CHECK_EQUAL(table.resolve("a", "", settings{}).min_copies, 1u);
}

CAF_TEST(the_newest_rule_wins_and_a_deletion_is_a_rule_too) {
  policy_table table;
  auto factor = [&] { return table.resolve("a", "", settings{}).factor; };
  CAF_CHECK(table.merge(entry(policy_scope::item, "a", R"({"factor":5})", 2)));
  CAF_CHECK(!table.merge(entry(policy_scope::item, "a", R"({"factor":5})", 2)));
  CAF_CHECK(!table.merge(entry(policy_scope::item, "a", R"({"factor":6})", 1)));
  CAF_CHECK_EQUAL(factor(), 5u);
  CAF_CHECK(table.merge(entry(policy_scope::item, "a", "", 3)));
  CAF_CHECK_EQUAL(factor(), settings{}.factor);
  CAF_CHECK(table.entries_in_force().empty());
  CAF_CHECK_EQUAL(table.all_entries().size(), 1u);
  CAF_CHECK(!table.merge(entry(policy_scope::item, "a", R"({"factor":5})", 2)));
  CAF_CHECK(table.find(policy_scope::item, "a")->text.empty());
  CAF_CHECK(table.find(policy_scope::user, "a") == nullptr);
}

CAF_TEST(tables_merged_in_any_order_are_the_same) {
  std::mt19937 random{1};
  for (int round = 0; round < 200; ++round) {
    std::vector<policy_entry> entries;
    for (int i = 0; i < 12; ++i)
      entries.push_back(entry(static_cast<policy_scope>(random() % 4), std::to_string(random() % 2),
                              random() % 4 ? "{\"factor\":" + std::to_string(1 + random() % 9) + "}" : "",
                              random() % 3));
    auto merged = [&] {
      std::shuffle(entries.begin(), entries.end(), random);
      policy_table table;
      for (const auto& e : entries)
        table.merge(e);
      std::string text;
      for (auto& e : table.all_entries())
        text += std::string{name(e.scope)} + " " + e.name + " " + e.text + "\n";
      return text;
    };
    CAF_REQUIRE_EQUAL(merged(), merged());
  }
}

CAF_TEST(a_copy_of_a_table_is_not_changed_by_what_is_merged_into_the_other) {
  policy_table one;
  for (int i = 0; i < 2000; ++i)
    one.merge(entry(policy_scope::user, std::to_string(i), R"({"factor":2})"));
  auto two = one;
  for (int i = 0; i < 2000; i += 2)
    CAF_CHECK(two.merge(entry(policy_scope::user, std::to_string(i), R"({"factor":3})", 2)));
  for (int i = 0; i < 2000; ++i) {
    CAF_CHECK_EQUAL(one.resolve("x", std::to_string(i), settings{}).factor, 2u);
    CAF_CHECK_EQUAL(two.resolve("x", std::to_string(i), settings{}).factor, i % 2 ? 2u : 3u);
  }
  CAF_CHECK_EQUAL(two.entries_in_force().size(), 2000u);
  auto names = two.entries_in_force();
  CAF_CHECK(std::is_sorted(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.name < b.name; }));
}

CAF_TEST(a_rule_of_a_later_version_is_kept_without_effect) {
  policy_table table;
  CAF_CHECK(table.merge(entry(policy_scope::item, "a", R"({"factor":5,"tomorrow":1})")));
  CAF_CHECK_EQUAL(table.entries_in_force().size(), 1u);
  CAF_CHECK_EQUAL(table.resolve("a", "", settings{}).factor, settings{}.factor);
}

namespace {

std::string origins_of(const effective_policy& found, const std::string& field) {
  for (const auto& origin : found.origins)
    if (origin.field == field)
      return origin.scope + (origin.name.empty() ? "" : " " + origin.name);
  return "missing";
}

version_set written_by(std::initializer_list<std::string> users) {
  version_set versions;
  for (const auto& user : users) {
    sibling one;
    one.user = user;
    versions.write({}, holding_id{1, static_cast<uint64_t>(versions.siblings.size() + 1)}, one);
  }
  return versions;
}

} // namespace

CAF_TEST(each_field_in_force_names_the_rule_that_sets_it) {
  policy_table table;
  table.merge(entry(policy_scope::fallback, "", R"({"factor": 5, "ttl": 7})"));
  table.merge(entry(policy_scope::type, "news", R"({"factor": 4, "acks": "all"})"));
  table.merge(entry(policy_scope::user, "ann", R"({"learn": false})"));
  table.merge(entry(policy_scope::item, "news/1", R"({"acks": 2})"));
  settings defaults;
  auto found = table.explain({"news/1", ""}, written_by({"ann"}), defaults);
  CAF_CHECK_EQUAL(found.user, "ann");
  CAF_CHECK_EQUAL(origins_of(found, "factor"), "type news");
  CAF_CHECK_EQUAL(origins_of(found, "acks"), "item news/1");
  CAF_CHECK_EQUAL(origins_of(found, "learn"), "user ann");
  CAF_CHECK_EQUAL(origins_of(found, "ttl"), "default");
  CAF_CHECK_EQUAL(origins_of(found, "durable"), "config");
  CAF_CHECK_EQUAL(origins_of(found, "residency"), "config");
  CAF_CHECK_EQUAL(found.origins.size(), 9u);
  auto in_force = rule_of(found.text); // the whole of it is a policy
  CAF_CHECK(in_force.factor == 4u && in_force.acks == 2u && in_force.learn == false);
  CAF_CHECK(in_force.ttl == duration{7000});
  CAF_CHECK(in_force.residency && in_force.residency->empty());
  CAF_CHECK_EQUAL(origins_of(table.explain({"news/1", "bob"}, written_by({"ann"}), defaults), "learn"), "config");
  CAF_CHECK_EQUAL(origins_of(table.explain({"news/1", ""}, {}, defaults), "learn"), "config");
}

CAF_TEST(the_factor_bounds_the_durable_copies_whatever_rule_asks_for_more) {
  policy_table table;
  table.merge(entry(policy_scope::type, "news", R"({"min_copies": 9})"));
  table.merge(entry(policy_scope::item, "news/2", R"({"factor": 2})"));
  settings defaults;
  defaults.factor = 3;
  defaults.min_copies = 2;
  auto capped = table.explain({"news/1", ""}, {}, defaults);
  CAF_CHECK(rule_of(capped.text).min_copies == 3u);
  CAF_CHECK_EQUAL(origins_of(capped, "min_copies"), "config"); // of the factor
  CAF_CHECK_EQUAL(origins_of(table.explain({"news/2", ""}, {}, defaults), "min_copies"), "item news/2");
  CAF_CHECK_EQUAL(origins_of(table.explain({"pages/2", ""}, {}, defaults), "min_copies"), "config");
}

CAF_TEST(the_regions_in_force_are_those_that_all_writers_allow) {
  policy_table table;
  table.merge(entry(policy_scope::user, "ann", R"({"residency": ["eu", "us"]})"));
  table.merge(entry(policy_scope::user, "bob", R"({"residency": ["us", "ap"]})"));
  table.merge(entry(policy_scope::user, "eve", R"({"residency": ["sa"]})"));
  auto both = table.explain({"x", ""}, written_by({"ann", "bob", "dan"}), settings{});
  CAF_CHECK(rule_of(both.text).residency == std::vector<std::string>{"us"});
  CAF_CHECK_EQUAL(origins_of(both, "residency"), "user ann, bob");
  auto none = table.explain({"x", ""}, written_by({"ann", "eve"}), settings{});
  CAF_CHECK(none.text.find("\"residency\":null") != std::string::npos);
}

CAF_TEST(scopes_have_names) {
  for (auto scope : {policy_scope::fallback, policy_scope::type, policy_scope::user, policy_scope::item})
    CAF_CHECK(scope_from(name(scope)) == scope);
  CAF_CHECK(!scope_from("everything"));
}
