#define CAF_SUITE items
#include "api_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::test;

namespace {

http::response refuse_put(field_list fields, std::string target = "/data/a") {
  return refusal_of(ask_with_body("PUT", std::move(target), "v", std::move(fields)));
}

} // namespace

CAF_TEST(a_put_becomes_a_write_with_everything_it_says) {
  version_vector seen;
  seen.add(dot{holding_id{1, 2}, 3});
  auto message = message_of<write_item>(ask_with_body("PUT", "/data/news/1%202%2F3?user_id=ann%40x", "value",
                                                      {{"content-type", "text/plain"},
                                                       {"gnomon-context", seen.to_text()},
                                                       {"gnomon-request-id", "r-1"},
                                                       {"gnomon-acks", "all"},
                                                       {"gnomon-expires", "60"},
                                                       {"if-match", "\"tag\""}}));
  CAF_CHECK_EQUAL(message.id, "news/1 2/3");
  CAF_CHECK_EQUAL(message.user, "ann@x");
  CAF_CHECK_EQUAL(message.value.view(), "value");
  CAF_CHECK_EQUAL(message.content_type, "text/plain");
  CAF_CHECK(message.seen == seen);
  CAF_CHECK_EQUAL(message.request_id, "r-1");
  CAF_CHECK_EQUAL(message.acks, acks_all);
  CAF_CHECK(message.expires == noon + std::chrono::seconds{60});
  CAF_CHECK(message.condition == write_condition::if_match);
  CAF_CHECK_EQUAL(message.etag, "\"tag\"");
}

CAF_TEST(a_put_may_be_empty_but_not_without_a_body) {
  CAF_CHECK_EQUAL(message_of<write_item>(ask_with_body("PUT", "/data/a", "")).value.size(), 0u);
  auto answer = refusal_of(ask("PUT", "/data/a"));
  CAF_CHECK_EQUAL(answer.status, 400);
  CAF_CHECK_EQUAL(*answer.field("Content-Type"), "application/problem+json");
}

CAF_TEST(ids_that_cannot_be_are_refused_with_a_sentence) {
  CAF_CHECK_EQUAL(refusal_of(ask("GET", "/data/")).status, 400);
  CAF_CHECK(mentions(refusal_of(ask("GET", "/data/a%00b")), "NUL"));
  CAF_CHECK(mentions(refusal_of(ask("GET", "/data/%FF")), "UTF-8"));
  CAF_CHECK(mentions(refusal_of(ask("GET", "/data/a%2")), "%25"));
  for (auto id : {"..", ".", "x/../y", "x/%2e%2E/y", "%2e", "x/.", "./x", "x/%252e./y"})
    for (auto method : {"GET", "DELETE", "PUT"})
      CAF_CHECK(mentions(refusal_of(ask_with_body(method, std::string{"/data/"} + id, "v")), ".."));
  for (auto id : {"...", ".x", "x./y", "x..y", "..x/y", "a.b/.c"})
    CAF_CHECK_EQUAL(message_of<read_item>(ask("GET", std::string{"/data/"} + id)).id, id);
  CAF_CHECK(mentions(refuse_put({}, "/data/a?user_id=x/../y"), "user"));
  CAF_CHECK(mentions(refuse_put({}, "/data/a?user_id=x&user_id=y"), "twice"));
  auto answer = refusal_of(ask("GET", "/data/" + std::string(10'240, 'x')));
  CAF_CHECK_EQUAL(answer.status, 414);
  CAF_CHECK(mentions(answer, "10240 bytes"));
}

CAF_TEST(fields_of_a_write_that_make_no_sense_are_named) {
  CAF_CHECK(mentions(refuse_put({{"gnomon-acks", "0"}}), "Gnomon-Acks"));
  CAF_CHECK(mentions(refuse_put({{"gnomon-acks", "some"}}), "Gnomon-Acks"));
  CAF_CHECK(mentions(refuse_put({{"gnomon-expires", "-5"}}), "Gnomon-Expires"));
  CAF_CHECK(mentions(refuse_put({{"gnomon-expires", "Sun, 06 Nov 1994 08:49:37 GMT"}}), "past"));
  CAF_CHECK(mentions(refuse_put({{"gnomon-expires", "soon"}}), "Gnomon-Expires"));
  CAF_CHECK(mentions(refuse_put({{"gnomon-context", "!!"}}), "Gnomon-Context"));
  CAF_CHECK(mentions(refuse_put({{"gnomon-request-id", "with space"}}), "Gnomon-Request-Id"));
  CAF_CHECK(mentions(refuse_put({{"if-match", "a"}}), "If-Match"));
  CAF_CHECK(mentions(refuse_put({{"if-none-match", "\"a\""}}), "If-None-Match"));
  CAF_CHECK(mentions(refuse_put({{"if-match", "\"a\""}, {"if-none-match", "*"}}), "exclude"));
}

CAF_TEST(a_write_may_name_several_tags_in_any_form_that_was_answered) {
  auto etag = [](std::string list) {
    return message_of<write_item>(ask_with_body("PUT", "/data/a", "v", {{"if-match", std::move(list)}})).etag;
  };
  CAF_CHECK_EQUAL(etag("\"a\", W/\"b\""), "\"a\", W/\"b\"");
  CAF_CHECK_EQUAL(etag("\"a-json\",\"b-json\""), "\"a\",\"b\"");
  CAF_CHECK_EQUAL(etag("*"), "*");
}

CAF_TEST(an_expiry_has_one_bound_however_it_is_written) {
  for (auto far : {"3162240001", "9223372036854775807", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT",
                   "Thu, 31 Dec 2150 23:59:59 GMT"})
    CAF_CHECK(mentions(refuse_put({{"gnomon-expires", far}}), "Gnomon-Expires"));
  CAF_CHECK(message_of<write_item>(ask_with_body("PUT", "/data/a", "v", {{"gnomon-expires", "3162240000"}})).expires
            > noon);
}

CAF_TEST(a_part_of_a_value_is_not_taken_for_the_whole) {
  for (auto range : {"bytes 5-9/20", "bytes 5-9/*", "bytes */20", "lines 1-2/3", ""})
    CAF_CHECK_EQUAL(refuse_put({{"content-range", range}}).status, 400);
  CAF_CHECK_EQUAL(refusal_of(ask_with_body("POST", "/prefetch/train", "{}", {{"content-range", "bytes 0-1/2"}})).status,
                  400);
}

CAF_TEST(a_coding_that_would_be_lost_is_refused) {
  for (auto coding :
       {"gzip", "GZIP", "br", "x-gzip", "gzip, identity", "identity,deflate", "aws-chunked", "\"gzip\"", ";"}) {
    auto answer = refuse_put({{"content-encoding", coding}});
    CAF_CHECK_EQUAL(answer.status, 415);
    CAF_CHECK_EQUAL(*answer.field("Accept-Encoding"), "identity");
  }
  for (auto none : {"identity", "Identity", "", " , identity,", "identity, identity, identity, identity"})
    CAF_CHECK_EQUAL(message_of<write_item>(ask_with_body("PUT", "/data/a", "v", {{"content-encoding", none}})).id, "a");
  CAF_CHECK_EQUAL(refusal_of(ask_with_body("POST", "/prefetch/train", "x", {{"content-encoding", "gzip"}})).status,
                  415);
}

CAF_TEST(an_expiry_may_be_a_date) {
  auto message = message_of<write_item>(
      ask_with_body("PUT", "/data/a", "v", {{"gnomon-expires", "Fri, 21 Nov 2036 12:00:00 GMT"}}));
  CAF_CHECK(message.expires == timestamp{std::chrono::seconds{2'110'881'600}});
}

CAF_TEST(a_first_write_is_created_and_a_later_one_has_no_content) {
  auto put = ask_with_body("PUT", "/data/a", "v");
  auto created = reply_to(put, write_receipt{"a", {}, "\"e\"", true, 2, "n1"});
  CAF_CHECK_EQUAL(created.status, 201);
  CAF_CHECK_EQUAL(*created.field("ETag"), "\"e\"");
  CAF_CHECK_EQUAL(*created.field("Gnomon-Acks"), "2");
  CAF_CHECK_EQUAL(reply_to(put, write_receipt{"a", {}, "\"e\"", false, 1, "n1"}).status, 204);
  CAF_CHECK_EQUAL(reply_to(ask("DELETE", "/data/a"), write_receipt{"a", {}, "\"e\"", true, 1, "n1"}).status, 204);
}

CAF_TEST(a_write_that_replaced_nothing_says_how_many_versions_there_are) {
  auto put = ask_with_body("PUT", "/data/a", "v");
  CAF_CHECK(!reply_to(put, write_receipt{"a", {}, "\"e\"", false, 1, "n1"}).field("Gnomon-Versions"));
  auto beside = reply_to(put, write_receipt{"a", {}, "\"e\"", false, 1, "n1", 2});
  CAF_CHECK_EQUAL(beside.status, 204);
  CAF_REQUIRE(beside.field("Gnomon-Versions"));
  CAF_CHECK_EQUAL(*beside.field("Gnomon-Versions"), "2");
}

CAF_TEST(a_delete_is_a_write_without_a_value) {
  auto message = message_of<write_item>(ask("DELETE", "/data/a"));
  CAF_CHECK(message.deleted);
  CAF_CHECK(!message.value);
}

CAF_TEST(errors_of_the_router_become_problem_documents_with_their_status) {
  auto get = ask("GET", "/data/a");
  auto put = ask_with_body("PUT", "/data/a", "v");
  CAF_CHECK_EQUAL(reply_to(get, make_error(ec::not_found, "none")).status, 404);
  CAF_CHECK_EQUAL(reply_to(get, make_error(ec::gone)).status, 410);
  CAF_CHECK_EQUAL(reply_to(put, make_error(ec::precondition_failed)).status, 412);
  CAF_CHECK_EQUAL(reply_to(get, make_error(ec::forbidden_region)).status, 403);
  CAF_CHECK_EQUAL(reply_to(get, make_error(ec::timeout)).status, 504);
  CAF_CHECK_EQUAL(reply_to(put, make_error(ec::not_enough_acks)).status, 503);
  CAF_CHECK_EQUAL(reply_to(put, make_error(ec::store_failed)).status, 507);
  CAF_CHECK_EQUAL(reply_to(put, make_error(ec::internal)).status, 500);
  auto busy = reply_to(get, make_error(ec::overloaded, "the queue is full"));
  CAF_CHECK_EQUAL(busy.status, 503);
  CAF_CHECK_EQUAL(*busy.field("Retry-After"), "1");
  auto document = nlohmann::json::parse(busy.body.view());
  CAF_CHECK_EQUAL(document["type"], "urn:gnomon:error:overloaded");
  CAF_CHECK_EQUAL(document["title"], "Service Unavailable");
  CAF_CHECK_EQUAL(document["status"], 503);
  CAF_CHECK_EQUAL(document["detail"], "the queue is full");
}

CAF_TEST(a_list_is_paged_by_the_address_of_the_next_page) {
  auto asked = ask("GET", "/data?prefix=news%2F&limit=2");
  auto message = message_of<list_items>(asked);
  CAF_CHECK_EQUAL(message.prefix, "news/");
  CAF_CHECK_EQUAL(message.limit, 2u);
  item_page page{{{"news/1", 5, "text/plain", holder_state::durable, 1}, {"news/a b", 6, "", holder_state::shadow, 2}},
                 true};
  auto document = nlohmann::json::parse(reply_to(asked, page).body.view());
  CAF_CHECK_EQUAL(document["items"].size(), 2u);
  CAF_CHECK_EQUAL(document["items"][0]["id"], "news/1");
  CAF_CHECK_EQUAL(document["next"], "/data?prefix=news/&after=news/a%20b&limit=2");
  page.more = false;
  CAF_CHECK(nlohmann::json::parse(reply_to(asked, page).body.view())["next"].is_null());
  for (auto limit : {"0", "-1", "10001", "x", ""})
    CAF_CHECK(mentions(refusal_of(ask("GET", std::string{"/data?limit="} + limit)), "limit"));
}

CAF_TEST(queries_take_a_plus_as_a_space_and_paths_do_not) {
  CAF_CHECK_EQUAL(message_of<read_item>(ask("GET", "/data/a+b?user_id=c+d")).id, "a+b");
  CAF_CHECK_EQUAL(message_of<read_item>(ask("GET", "/data/a+b?user_id=c+d")).user, "c d");
}

CAF_TEST(items_are_counted_with_the_same_address) {
  auto asked = ask("GET", "/data?count=true&prefix=news%2F");
  CAF_CHECK_EQUAL(message_of<count_items>(asked).prefix, "news/");
  auto document = nlohmann::json::parse(reply_to(asked, item_count{2, 5, false}).body.view());
  CAF_CHECK_EQUAL(document, nlohmann::json({{"prefix", "news/"}, {"here", 2}, {"everywhere", 5}, {"complete", false}}));
  CAF_CHECK_EQUAL(message_of<list_items>(ask("GET", "/data?count=false")).limit, 1000u);
  CAF_CHECK(mentions(refusal_of(ask("GET", "/data?count=yes")), "count"));
  for (auto other : {"limit=3", "after=a"})
    CAF_CHECK_EQUAL(refusal_of(ask("GET", std::string{"/data?count=true&"} + other)).status, 400);
}

CAF_TEST(a_user_has_one_name_and_an_older_one) {
  CAF_CHECK_EQUAL(message_of<read_item>(ask("GET", "/data/a?user=ann")).user, "ann");
  CAF_CHECK_EQUAL(message_of<read_item>(ask("GET", "/data/a?user_id=ann")).user, "ann");
  CAF_CHECK(mentions(refusal_of(ask("GET", "/data/a?user=ann&user_id=ann")), "mean the same"));
}
