#define CAF_SUITE rights
#include "runtime/gateway/rights.hpp"

#include "api_fixture.hpp"
#include "runtime/gateway/cors.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::test;

namespace {

grant_ptr holder(role may, std::vector<std::string> types = {}) {
  return std::make_shared<const grant>(grant{"token x", may, std::move(types)});
}

http::client_message message_for(http::request asked) {
  return std::get<http::client_message>(http::prepare(asked, noon));
}

bool in_scope(http::request asked, std::vector<std::string> types = {"news"}) {
  return !http::refuse_scope(*holder(role::admin, std::move(types)), message_for(std::move(asked)));
}

} // namespace

CAF_TEST(a_bearer_token_is_found_in_its_field) {
  CAF_CHECK_EQUAL(http::bearer_token("Bearer abc"), "abc");
  CAF_CHECK_EQUAL(http::bearer_token("bearer  abc "), "abc");
  for (auto other : {"", "Bearer", "Bearer ", "Basic abc", "Bearerabc"})
    CAF_CHECK_EQUAL(http::bearer_token(other), "");
}

CAF_TEST(only_the_health_of_a_node_is_for_everybody) {
  for (const auto& row : http::routes)
    for (auto method : {"GET", "PUT", "DELETE", "POST", "OPTIONS", "PATCH"}) {
      const auto open = http::role_for(row.where, method) == role::none;
      CAF_CHECK_EQUAL(open, row.pattern.starts_with("/health/"));
    }
  CAF_CHECK(http::role_for(http::endpoint::unknown, "GET") == role::read);
}

CAF_TEST(whoever_lacks_a_role_is_told_which) {
  CAF_CHECK(!http::refuse_role(nullptr, role::none, false));
  CAF_CHECK_EQUAL(http::refuse_role(nullptr, role::read, false)->status, 401);
  CAF_CHECK(http::refuse_role(nullptr, role::read, false)->field("WWW-Authenticate"));
  CAF_CHECK(mentions(*http::refuse_role(nullptr, role::read, true), "revoked"));
  CAF_CHECK(!http::refuse_role(holder(role::write), role::read, false));
  const auto refusal = http::refuse_role(holder(role::read), role::write, false);
  CAF_CHECK_EQUAL(refusal->status, 403);
  CAF_CHECK(mentions(*refusal, "the role write"));
}

CAF_TEST(a_token_for_some_data_types_reaches_no_other_item) {
  CAF_CHECK(in_scope(ask("GET", "/data/news/1")));
  CAF_CHECK(in_scope(ask("GET", "/data/new%73/1")));
  CAF_CHECK(in_scope(ask("GET", "/data/news")));
  CAF_CHECK(!in_scope(ask("GET", "/data/newsletter/1")));
  CAF_CHECK(!in_scope(ask("GET", "/data/sports%2Fnews/1")));
  CAF_CHECK(in_scope(ask_with_body("PUT", "/data/news/1", "x")));
  CAF_CHECK(!in_scope(ask_with_body("PUT", "/data/sports/1", "x")));
  CAF_CHECK(!in_scope(ask("DELETE", "/data/sports/1")));
  CAF_CHECK(in_scope(ask("GET", "/data?prefix=news/")));
  CAF_CHECK(in_scope(ask("GET", "/data?prefix=news%2F2026")));
  for (auto prefix : {"", "?prefix=", "?prefix=news", "?prefix=sports/", "?prefix=news/&prefix=x"}) {
    auto asked = ask("GET", "/data" + std::string{prefix});
    auto step = http::prepare(asked, noon);
    if (std::holds_alternative<http::client_message>(step))
      CAF_CHECK(!in_scope(asked));
  }
  const field_list as_json{{"content-type", "application/json"}};
  CAF_CHECK(in_scope(ask_with_body("POST", "/shadow/create", R"({"data_id": "news/1"})", as_json)));
  CAF_CHECK(!in_scope(ask_with_body("POST", "/shadow/create", R"({"data_id": "x/1"})", as_json)));
  for (std::string target : {"/shadow/status?data_id=", "/route?data_id=", "/watch?data_id="}) {
    CAF_CHECK(in_scope(ask("GET", target + "news/1")));
    CAF_CHECK(!in_scope(ask("GET", target + "x/1")));
  }
  CAF_CHECK(in_scope(ask("GET", "/watch?prefix=news/")));
  CAF_CHECK(!in_scope(ask("GET", "/watch?prefix=news")));
  CAF_CHECK(!in_scope(ask("GET", "/watch?cluster=true")));
  CAF_CHECK(in_scope(ask("GET", "/cluster")));
  for (auto target : {"/policy", "/policy/default", "/policy/type/news", "/prefetch/predict?user_id=u"})
    CAF_CHECK(!in_scope(ask("GET", target)));
  CAF_CHECK(!in_scope(ask_with_body("PUT", "/policy/type/news", R"({"factor": 2})", as_json)));
  CAF_CHECK(!in_scope(ask("DELETE", "/cluster/node/n1")));
  CAF_CHECK(!in_scope(ask("DELETE", "/prefetch/user/u")));
  CAF_CHECK(!in_scope(ask_with_body("POST", "/prefetch/train", "{}")));
  CAF_CHECK(in_scope(ask("GET", "/data/x/1"), {}));
}

CAF_TEST(a_page_from_elsewhere_sees_an_answer_only_where_the_config_says_so) {
  const std::vector<std::string> some{"https://app.example"};
  auto seen_by = [&](const std::string& origin, const std::vector<std::string>& origins) {
    http::response answer;
    http::add_cors(answer, ask("GET", "/data/x", {{"origin", origin}}), origins);
    const auto* field = answer.field("Access-Control-Allow-Origin");
    return field ? *field : std::string{};
  };
  CAF_CHECK_EQUAL(seen_by("https://app.example", some), "https://app.example");
  CAF_CHECK_EQUAL(seen_by("https://app.example:8443", some), "");
  CAF_CHECK_EQUAL(seen_by("http://app.example", some), "");
  CAF_CHECK_EQUAL(seen_by("null", some), "");
  CAF_CHECK_EQUAL(seen_by("https://app.example", {}), "");
  CAF_CHECK_EQUAL(seen_by("https://any.example", {"*"}), "*");
  http::response answer;
  http::add_cors(answer, ask("GET", "/data/x"), some);
  CAF_CHECK_EQUAL(*answer.field("Vary"), "Origin");
}

CAF_TEST(a_browser_is_told_what_a_page_may_send) {
  const field_list question{{"origin", "https://app.example"}, {"access-control-request-method", "PUT"}};
  const std::vector<std::string> some{"https://app.example"};
  const auto answer = http::preflight(ask("OPTIONS", "/data/x", question), http::endpoint::item, some);
  CAF_REQUIRE(answer);
  CAF_CHECK_EQUAL(answer->status, 204);
  CAF_CHECK(answer->field("Access-Control-Allow-Methods")->find("PUT") != std::string::npos);
  CAF_CHECK(answer->field("Access-Control-Allow-Headers")->find("Authorization") != std::string::npos);
  const auto other = http::preflight(ask("OPTIONS", "/data/x", question), http::endpoint::item, {"https://b.example"});
  CAF_CHECK(other && !other->field("Access-Control-Allow-Methods"));
  CAF_CHECK(!http::preflight(ask("OPTIONS", "/data/x"), http::endpoint::item, some));
  CAF_CHECK(!http::preflight(ask("OPTIONS", "/data/x", question), http::endpoint::item, {}));
}

CAF_TEST(origins_are_what_browsers_send) {
  for (auto good : {"*", "https://app.example", "http://localhost:3000", "http://[::1]:8080"})
    CAF_CHECK(http::is_origin_rule(good));
  for (auto bad : {"", "app.example", "https://", "https://app.example/", "https://app.example/x", "https://a b"})
    CAF_CHECK(!http::is_origin_rule(bad));
}

CAF_TEST(who_asks_is_noted_in_what_the_audit_writes_down) {
  http::client_message message = put_policy{policy_scope::type, "news", "{}"};
  http::sign(message, {"token x", "192.0.2.7"});
  CAF_CHECK_EQUAL(std::get<put_policy>(message).by.who, "token x");
  message = read_item{};
  http::sign(message, {"token x", "192.0.2.7"});
}
