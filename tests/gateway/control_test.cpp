#define CAF_SUITE control
#include "api_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::test;

namespace {

const field_list as_json{{"content-type", "application/json; charset=utf-8"}};

http::request create(std::string body) {
  return ask_with_body("POST", "/shadow/create", std::move(body), as_json);
}

http::request put_policy_at(std::string target, std::string body = "{\"factor\": 3}") {
  return ask_with_body("PUT", std::move(target), std::move(body), as_json);
}

} // namespace

CAF_TEST(a_shadow_is_asked_for_with_factor_and_ttl) {
  auto message = message_of<create_shadow>(create(R"({"data_id": "a/b", "shadowing_factor": 4, "ttl": 1.5})"));
  CAF_CHECK_EQUAL(message.id, "a/b");
  CAF_CHECK_EQUAL(message.factor, 4u);
  CAF_CHECK(message.ttl == duration{1500});
  CAF_CHECK_EQUAL(message_of<create_shadow>(create(R"({"data_id": "a"})")).factor, 0u);
  auto same = message_of<create_shadow>(create(R"({"id": "a/b", "factor": 4})"));
  CAF_CHECK_EQUAL(same.id, "a/b");
  CAF_CHECK_EQUAL(same.factor, 4u);
}

CAF_TEST(shadow_requests_with_a_wrong_field_name_it) {
  auto refused = [](std::string body) { return refusal_of(create(std::move(body))); };
  CAF_CHECK(mentions(refused("{"), "JSON object"));
  CAF_CHECK(mentions(refused("[]"), "JSON object"));
  CAF_CHECK(mentions(refused(""), "JSON object"));
  CAF_CHECK(mentions(refused("{}"), "data_id"));
  CAF_CHECK(mentions(refused(R"({"data_id": 5})"), "data_id"));
  CAF_CHECK(mentions(refused(R"({"data_id": ""})"), "data_id"));
  CAF_CHECK(mentions(refused(R"({"data_id": "a/../b"})"), ".."));
  CAF_CHECK(mentions(refused(R"({"data_id": "one", "data_id": "two"})"), "twice"));
  CAF_CHECK(mentions(refused(R"({"data_id": "one", "\u0064ata_id": "two"})"), "twice"));
  CAF_CHECK(mentions(refused(R"({"data_id": "one", "ttl": {"a": 1, "a": 2}})"), "twice"));
  CAF_CHECK(mentions(refused(R"({"data_id": "a", "copies": 2})"), "copies"));
  CAF_CHECK(mentions(refused(R"({"data_id": "a", "id": "a"})"), "mean the same"));
  CAF_CHECK(mentions(refused(R"({"id": "a", "factor": 2, "shadowing_factor": 2})"), "mean the same"));
  for (auto factor : {"0", "1000", "-1", "\"3\"", "2.5", "null", "18446744073709551615"})
    CAF_CHECK(
        mentions(refused(R"({"data_id": "a", "shadowing_factor": )" + std::string{factor} + "}"), "shadowing_factor"));
  for (auto ttl : {"-1", "0", "\"soon\"", "null", "1e300", "[]"})
    CAF_CHECK(mentions(refused(R"({"data_id": "a", "ttl": )" + std::string{ttl} + "}"), "ttl"));
  CAF_CHECK(mentions(refused(R"({"data_id": "a", "ttl": "adaptive"})"), "adaptive"));
  CAF_CHECK_EQUAL(refused(R"({"data_id": "a", "shadowing_factor": 0})").status, 400);
}

CAF_TEST(json_endpoints_take_json_only) {
  auto asked = ask_with_body("POST", "/shadow/create", "{}", {{"content-type", "application/x-www-form-urlencoded"}});
  CAF_CHECK_EQUAL(refusal_of(asked).status, 415);
  CAF_CHECK_EQUAL(refusal_of(ask("POST", "/shadow/create", as_json)).status, 400);
  CAF_CHECK_EQUAL(refusal_of(create(std::string((1u << 20) + 1, ' '))).status, 413);
}

CAF_TEST(a_plan_is_accepted_with_its_regions) {
  shadow_plan plan{"a",
                   3,
                   {{"n1", "eu", holder_state::durable, true}, {"n2", "us", holder_state::shadow, false}},
                   "one region is down"};
  auto answer = reply_to(create("{}"), plan);
  CAF_CHECK_EQUAL(answer.status, 202);
  auto document = nlohmann::json::parse(answer.body.view());
  CAF_CHECK_EQUAL(document["regions"], nlohmann::json({"eu", "us"}));
  CAF_CHECK_EQUAL(document["copies"][1]["role"], "shadow");
  CAF_CHECK_EQUAL(document["shortfall"], "one region is down");
}

CAF_TEST(the_status_of_a_shadow_tells_every_copy) {
  auto asked = ask("GET", "/shadow/status?data_id=a%2Fb");
  CAF_CHECK_EQUAL(message_of<get_shadow_status>(asked).id, "a/b");
  CAF_CHECK(mentions(refusal_of(ask("GET", "/shadow/status")), "data_id"));
  CAF_CHECK_EQUAL(refusal_of(ask("GET", "/shadow/status?data_id=" + std::string(2000, 'x'))).status, 414);
  copy_report copy;
  copy.node = "n1";
  copy.role = holder_state::shadow;
  copy.expires = noon;
  copy.etag = "\"e\"";
  copy.demand = 2.5;
  auto document = nlohmann::json::parse(reply_to(asked, shadow_report{"a/b", 3, 2, "n1", {copy}}).body.view());
  CAF_CHECK_EQUAL(document["deleted"], false);
  CAF_CHECK_EQUAL(document["copies"][0]["deleted"], false);
  CAF_CHECK_EQUAL(document["copies"][0]["role"], "shadow");
  CAF_CHECK_EQUAL(document["copies"][0]["etag"], "\"e\"");
  CAF_CHECK_EQUAL(document["copies"][0]["demand"], 2.5);
  CAF_CHECK_EQUAL(document["copies"][0]["expires"], "2019-12-20T12:00:00.000Z");
  CAF_CHECK(document["copies"][0]["created"].is_null());
}

CAF_TEST(one_copy_is_dropped_by_its_region) {
  auto asked = ask("DELETE", "/shadow?id=a%2Fb&region=eu");
  auto message = message_of<drop_shadow>(asked);
  CAF_CHECK_EQUAL(message.id, "a/b");
  CAF_CHECK_EQUAL(message.region, "eu");
  CAF_CHECK_EQUAL(message_of<drop_shadow>(ask("DELETE", "/shadow?data_id=a&region=eu")).id, "a");
  CAF_CHECK_EQUAL(reply_to(asked, shadow_drop{"a/b", "n1"}).status, 204);
  CAF_CHECK_EQUAL(reply_to(asked, make_error(ec::rejected, "the copy is durable")).status, 409);
  CAF_CHECK_EQUAL(reply_to(asked, make_error(ec::gone)).status, 410);
  CAF_CHECK(mentions(refusal_of(ask("DELETE", "/shadow?id=a")), "region"));
  CAF_CHECK(mentions(refusal_of(ask("DELETE", "/shadow?region=eu")), "id"));
  CAF_CHECK_EQUAL(refusal_of(ask("GET", "/shadow?id=a&region=eu")).status, 405);
}

CAF_TEST(a_route_is_asked_for_from_here_or_from_a_place) {
  CAF_CHECK(!message_of<get_route>(ask("GET", "/route?data_id=a")).has_place);
  auto message = message_of<get_route>(ask("GET", "/route?data_id=a&lat=52.5&lon=-13.4"));
  CAF_CHECK(message.has_place);
  CAF_CHECK_EQUAL(message.longitude.value, -13.4);
  CAF_CHECK_EQUAL(message_of<get_route>(ask("GET", "/route?data_id=a&ip=192.0.2.1")).ip, "192.0.2.1");
  for (auto ip : {"192.0.2", "", "localhost", "192.0.2.1:80", "192.0.2.1&lat=1&lon=2"})
    CAF_CHECK(mentions(refusal_of(ask("GET", std::string{"/route?data_id=a&ip="} + ip)), "ip"));
  CAF_CHECK(mentions(refusal_of(ask("GET", "/route?data_id=a&lat=52.5")), "both"));
  for (auto latitude : {"91", "x", "", "nan", "inf"})
    CAF_CHECK(mentions(refusal_of(ask("GET", std::string{"/route?data_id=a&lon=0&lat="} + latitude)), "lat"));
  CAF_CHECK(mentions(refusal_of(ask("GET", "/route")), "data_id"));
  auto answer = reply_to(ask("GET", "/route?data_id=a"),
                         route_list{{{"n1", "eu", true, true, -1, 12.5, 30, "nearest copy"}}, {}});
  auto document = nlohmann::json::parse(answer.body.view());
  CAF_CHECK(document["regions"][0]["rtt_ms"].is_null());
  CAF_CHECK_EQUAL(document["regions"][0]["distance_km"], 12.5);
  CAF_CHECK_EQUAL(document["regions"][0]["expected_ms"], 30.0);
}

CAF_TEST(policies_are_set_by_scope_and_name) {
  auto message = message_of<put_policy>(put_policy_at("/policy/user/ann%2Fb"));
  CAF_CHECK(message.scope == policy_scope::user);
  CAF_CHECK_EQUAL(message.name, "ann/b");
  CAF_CHECK_EQUAL(message.text, "{\"factor\": 3}");
  CAF_CHECK(message_of<put_policy>(put_policy_at("/policy/default")).scope == policy_scope::fallback);
  CAF_CHECK_EQUAL(message_of<put_policy>(ask("DELETE", "/policy/type/news")).text, "");
  for (auto body : {"", "[]", "{", "3"})
    CAF_CHECK_EQUAL(refusal_of(put_policy_at("/policy/type/news", body)).status, 400);
  CAF_CHECK(mentions(refusal_of(put_policy_at("/policy/type/news", R"({"factor": 1, "factor": 1})")), "twice"));
  CAF_CHECK(mentions(refusal_of(put_policy_at("/policy/item/x%2F..%2Fy")), ".."));
  CAF_CHECK_EQUAL(refusal_of(put_policy_at("/policy/region/eu")).status, 400);
  CAF_CHECK_EQUAL(refusal_of(put_policy_at("/policy/default/x")).status, 400);
  CAF_CHECK_EQUAL(refusal_of(put_policy_at("/policy/type/")).status, 400);
}

CAF_TEST(the_policy_in_force_says_where_each_field_comes_from) {
  auto asked = ask("GET", "/policy/effective?id=news%2F1");
  CAF_CHECK_EQUAL(message_of<get_effective_policy>(asked).id, "news/1");
  CAF_CHECK_EQUAL(message_of<get_effective_policy>(asked).user, "");
  CAF_CHECK_EQUAL(message_of<get_effective_policy>(ask("GET", "/policy/effective?data_id=a&user_id=ann")).user, "ann");
  CAF_CHECK(mentions(refusal_of(ask("GET", "/policy/effective")), "id"));
  CAF_CHECK(mentions(refusal_of(ask("GET", "/policy/effective?id=a&data_id=a")), "mean the same"));
  CAF_CHECK_EQUAL(refusal_of(ask("PUT", "/policy/effective?id=a")).status, 405);
  effective_policy found{
      "news/1", "ann", R"({"factor":4,"learn":true})", {{"factor", "type", "news"}, {"learn", "config", ""}}};
  auto document = nlohmann::json::parse(reply_to(asked, found).body.view());
  CAF_CHECK_EQUAL(document["id"], "news/1");
  CAF_CHECK_EQUAL(document["user"], "ann");
  CAF_CHECK_EQUAL(document["policy"]["factor"], 4);
  CAF_CHECK_EQUAL(document["from"]["factor"], nlohmann::json({{"scope", "type"}, {"name", "news"}}));
  CAF_CHECK_EQUAL(document["from"]["learn"]["scope"], "config");
}

CAF_TEST(policies_are_shown_one_by_one_or_all) {
  policy_list list{{{policy_scope::type, "news", "{\"factor\":3}", {noon.time_since_epoch().count(), 0}}}};
  auto shown = reply_to(ask("GET", "/policy/type/news"), list);
  CAF_CHECK_EQUAL(shown.status, 200);
  auto document = nlohmann::json::parse(shown.body.view());
  CAF_CHECK_EQUAL(document["policy"]["factor"], 3);
  CAF_CHECK_EQUAL(reply_to(ask("GET", "/policy/type/other"), list).status, 404);
  CAF_CHECK_EQUAL(reply_to(put_policy_at("/policy/type/news"), list).status, 200);
  CAF_CHECK_EQUAL(reply_to(ask("DELETE", "/policy/type/news"), policy_list{}).status, 204);
  CAF_CHECK(!document.contains("warning"));
  list.warning = "residency names eu";
  auto doubtful = nlohmann::json::parse(reply_to(put_policy_at("/policy/type/news"), list).body.view());
  CAF_CHECK_EQUAL(doubtful["warning"], "residency names eu");
  auto all = nlohmann::json::parse(reply_to(ask("GET", "/policy"), list).body.view());
  CAF_CHECK_EQUAL(all["policies"][0]["scope"], "type");
  CAF_CHECK_EQUAL(all["policies"][0]["changed"], "2019-12-20T12:00:00.000Z");
  list.entries[0].text = R"({"factor": 3, "factor": 4})"; // as a node might have that reads JSON otherwise
  CAF_CHECK(nlohmann::json::parse(reply_to(ask("GET", "/policy/type/news"), list).body.view())["policy"].is_null());
}

CAF_TEST(the_cluster_page_tells_nodes_and_round_trips) {
  node_report node;
  node.node = "n2";
  node.state = peer_state::suspect;
  node.rtt_ms = 12.5;
  node.incarnation = UINT64_MAX;
  auto document = nlohmann::json::parse(reply_to(ask("GET", "/cluster"), cluster_report{"n1", {node}}).body.view());
  CAF_CHECK_EQUAL(document["self"], "n1");
  CAF_CHECK_EQUAL(document["nodes"][0]["state"], "suspect");
  CAF_CHECK_EQUAL(document["nodes"][0]["rtt_ms"], 12.5);
  CAF_CHECK_EQUAL(document["nodes"][0]["incarnation"], "18446744073709551615");
}

CAF_TEST(a_node_is_removed_by_its_name_and_by_force_only_when_told) {
  auto message = message_of<remove_node>(ask("DELETE", "/cluster/node/eu%20west"));
  CAF_CHECK_EQUAL(message.node, "eu west");
  CAF_CHECK(!message.force);
  CAF_CHECK(message_of<remove_node>(ask("DELETE", "/cluster/node/eu?force=true")).force);
  CAF_CHECK_EQUAL(refusal_of(ask("DELETE", "/cluster/node/eu?force=maybe")).status, 400);
  CAF_CHECK_EQUAL(refusal_of(ask("DELETE", "/cluster/node/")).status, 400);
  CAF_CHECK_EQUAL(refusal_of(ask("GET", "/cluster/node/eu")).status, 405);
  auto done = reply_to(ask("DELETE", "/cluster/node/eu"), node_removal{"eu", UINT64_MAX, 3});
  CAF_CHECK_EQUAL(done.status, 200);
  auto document = nlohmann::json::parse(done.body.view());
  CAF_CHECK_EQUAL(document["incarnation"], "18446744073709551615");
}

CAF_TEST(unknown_paths_and_wrong_methods_are_told_apart) {
  for (auto path : {"/", "/dat", "/policy/type", "/health", "/prefetch", "*"})
    CAF_CHECK_EQUAL(refusal_of(ask("GET", path)).status, 404);
  auto answer = refusal_of(ask("POST", "/data/a"));
  CAF_CHECK_EQUAL(answer.status, 405);
  CAF_CHECK_EQUAL(*answer.field("Allow"), "GET, HEAD, PUT, DELETE");
  CAF_CHECK_EQUAL(refusal_of(ask("get", "/data/a")).status, 405);
}
