#define CAF_SUITE prediction_pages
#include "api_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::test;

CAF_TEST(a_prediction_needs_a_user_and_takes_a_limit) {
  auto message = message_of<get_prediction>(ask("GET", "/prefetch/predict?user_id=ann%2F1&limit=5"));
  CAF_CHECK_EQUAL(message.user, "ann/1");
  CAF_CHECK_EQUAL(message.limit, 5u);
  CAF_CHECK_EQUAL(message_of<get_prediction>(ask("GET", "/prefetch/predict?user_id=ann")).limit, 20u);
  CAF_CHECK(mentions(refusal_of(ask("GET", "/prefetch/predict")), "user_id"));
  for (auto limit : {"0", "21", "-1", "5x", "", "1e1"})
    CAF_CHECK(mentions(refusal_of(ask("GET", "/prefetch/predict?user_id=ann&limit=" + std::string{limit})), "limit"));
  CAF_CHECK(!message.repeats);
  CAF_CHECK(message_of<get_prediction>(ask("GET", "/prefetch/predict?user_id=ann&repeats=true")).repeats);
  CAF_CHECK(!message_of<get_prediction>(ask("GET", "/prefetch/predict?user_id=ann&repeats=false")).repeats);
  for (auto repeats : {"", "1", "yes", "TRUE"})
    CAF_CHECK(
        mentions(refusal_of(ask("GET", "/prefetch/predict?user_id=ann&repeats=" + std::string{repeats})), "repeats"));
  CAF_CHECK_EQUAL(refusal_of(ask("POST", "/prefetch/predict?user_id=ann")).status, 405);
}

CAF_TEST(a_prediction_tells_confidence_holders_and_regions) {
  prediction found{"ann", "n1", 7, {{"a/1", 0.75, 0.875, {"n2"}, {"eu"}}, {"a/2", 0.25, 0.5, {"n1", "n2"}, {}}}, 3};
  auto answer = reply_to(ask("GET", "/prefetch/predict?user_id=ann"), found);
  CAF_CHECK_EQUAL(answer.status, 200);
  auto document = nlohmann::json::parse(answer.body.view());
  CAF_CHECK_EQUAL(document["user_id"], "ann");
  CAF_CHECK_EQUAL(document["model"], 7);
  CAF_REQUIRE_EQUAL(document["items"].size(), 2u);
  CAF_CHECK_EQUAL(document["items"][0]["data_id"], "a/1");
  CAF_CHECK_EQUAL(document["items"][0]["confidence"], 0.75);
  CAF_CHECK_EQUAL(document["items"][0]["worth_copying"], 0.875);
  CAF_CHECK_EQUAL(document["repeats_left_out"], 3);
  CAF_CHECK_EQUAL(document["items"][0]["regions"], nlohmann::json({"eu"}));
  CAF_CHECK_EQUAL(document["items"][1]["holders"], nlohmann::json({"n1", "n2"}));
}

CAF_TEST(a_user_is_forgotten_by_name_and_silence_is_the_answer) {
  auto asked = ask("DELETE", "/prefetch/user/ann%2F1");
  CAF_CHECK_EQUAL(message_of<forget_user>(asked).user, "ann/1");
  CAF_CHECK_EQUAL(reply_to(asked, forget_receipt{"ann/1", 3}).status, 204);
  CAF_CHECK_EQUAL(refusal_of(ask("DELETE", "/prefetch/user/")).status, 400);
  CAF_CHECK_EQUAL(refusal_of(ask("DELETE", "/prefetch/user/%zz")).status, 400);
  CAF_CHECK_EQUAL(refusal_of(ask("GET", "/prefetch/user/ann")).status, 405);
}

CAF_TEST(a_user_nobody_knows_and_a_node_that_does_not_predict_are_told_apart) {
  auto asked = ask("GET", "/prefetch/predict?user_id=ann");
  CAF_CHECK_EQUAL(reply_to(asked, make_error(ec::not_found, "no region has learned from reads of this user")).status,
                  404);
  CAF_CHECK_EQUAL(reply_to(asked, make_error(ec::unavailable, "this node does not predict")).status, 503);
}

CAF_TEST(reads_made_elsewhere_are_reported_one_by_one_or_many_at_once) {
  auto report = [](std::string body) {
    return ask_with_body("POST", "/prefetch/read", std::move(body), {{"content-type", "application/json"}});
  };
  auto one = message_of<report_reads>(report(R"({"id": "news/1", "user": "ann"})"));
  CAF_REQUIRE_EQUAL(one.reads.size(), 1u);
  CAF_CHECK_EQUAL(one.reads[0].id, "news/1");
  CAF_CHECK_EQUAL(one.reads[0].user, "ann");
  CAF_CHECK_EQUAL(one.reads[0].count, 1u);
  auto two = message_of<report_reads>(report(R"([{"data_id": "a", "user_id": "bob"}, {"id": "b", "count": 7}])"));
  CAF_REQUIRE_EQUAL(two.reads.size(), 2u);
  CAF_CHECK_EQUAL(two.reads[0].user, "bob");
  CAF_CHECK_EQUAL(two.reads[1].count, 7u);
  auto answer = reply_to(report("{}"), reads_receipt{8});
  CAF_CHECK_EQUAL(answer.status, 202);
  auto document = nlohmann::json::parse(answer.body.view());
  CAF_CHECK_EQUAL(document["reads"], 8);
  for (auto bad : {"", "[]", "3", "[3]", "{}", R"({"id": ""})", R"({"id": 3})", R"({"id": "a", "data_id": "a"})",
                   R"({"id": "a", "count": 0})", R"({"id": "a", "count": -1})", R"({"id": "a", "count": 1000001})",
                   R"({"id": "a", "user": "x/../y"})", R"({"id": "a", "id": "b"})", R"({"id": "a", "time": 3})"})
    CAF_CHECK_EQUAL(refusal_of(report(bad)).status, 400);
  std::string many = "[";
  for (int i = 0; i < 1001; ++i)
    many += std::string{i == 0 ? "" : ","} + R"({"id": "a"})";
  CAF_CHECK_EQUAL(refusal_of(report(many + "]")).status, 400);
  CAF_CHECK_EQUAL(refusal_of(report(std::string((1u << 20) + 1, ' '))).status, 413);
  CAF_CHECK_EQUAL(refusal_of(ask_with_body("POST", "/prefetch/read", "{}", {{"content-type", "text/plain"}})).status,
                  415);
}
