#define CAF_SUITE read_answer
#include "api_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::test;

namespace {

item_versions one(std::string value, bool deleted = false) {
  item_versions item;
  item.id = "a";
  sibling version;
  version.content_type = "text/plain";
  version.bytes = value.size();
  version.deleted = deleted;
  item.versions.write({}, holding_id{7, 1}, version);
  item.values.emplace_back(std::move(value));
  item.served_by = "n1";
  return item;
}

item_versions two(std::string first, std::string second) {
  auto item = one(std::move(first));
  sibling version;
  version.bytes = second.size();
  item.versions.write({}, holding_id{7, 2}, version);
  item.values.emplace_back(std::move(second));
  return item;
}

bool has_field(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

http::response get(const item_versions& item, field_list fields = {}, std::string method = "GET") {
  return reply_to(ask(std::move(method), "/data/a", std::move(fields)), item);
}

std::string etag_of(const http::response& answer) {
  auto tag = answer.field("ETag");
  return tag ? std::string{*tag} : std::string{};
}

} // namespace

CAF_TEST(a_read_says_where_its_copy_came_from) {
  auto item = one("hello");
  item.copy = copy_kind::remote;
  auto answer = get(item);
  CAF_CHECK_EQUAL(answer.status, 200);
  CAF_CHECK_EQUAL(answer.content(), "hello");
  CAF_CHECK_EQUAL(*answer.field("Content-Type"), "text/plain");
  CAF_CHECK_EQUAL(*answer.field("ETag"), item.versions.etag());
  CAF_CHECK_EQUAL(*answer.field("Gnomon-Context"), item.versions.context.to_text());
  CAF_CHECK_EQUAL(*answer.field("Gnomon-Served-By"), "n1");
  CAF_CHECK_EQUAL(*answer.field("Gnomon-Copy"), "remote");
  CAF_CHECK(!answer.field("Gnomon-Stale"));
  item.stale = true;
  auto stale = get(item); // the macro keeps references
  CAF_CHECK_EQUAL(*stale.field("Gnomon-Stale"), "true");
}

CAF_TEST(a_tombstone_is_gone_and_tells_its_context) {
  auto answer = get(one("", true));
  CAF_CHECK_EQUAL(answer.status, 410);
  CAF_CHECK(answer.field("Gnomon-Context"));
  CAF_CHECK_EQUAL(get(item_versions{}).status, 404);
}

CAF_TEST(a_reader_with_the_current_tag_gets_no_value) {
  auto item = one("hello");
  auto tag = item.versions.etag();
  for (const auto& list : {tag, std::string{"*"}, "\"x\", W/" + tag})
    CAF_CHECK_EQUAL(get(item, {{"if-none-match", list}}).status, 304);
  CAF_CHECK_EQUAL(get(item, {{"if-none-match", "\"x\""}}).status, 200);
  CAF_CHECK_EQUAL(get(item, {{"if-match", "\"x\""}}).status, 412);
  CAF_CHECK_EQUAL(get(item, {{"if-match", tag}}).status, 200);
}

CAF_TEST(if_match_compares_strongly_and_if_none_match_weakly) {
  using texts = std::vector<std::string>;
  auto item = one("hello");
  auto tag = item.versions.etag();
  for (const std::string method : {"GET", "HEAD"}) {
    for (const auto& list : texts{tag, std::string{"*"}, "\"x\", " + tag, "W/" + tag + "," + tag, ", ," + tag + " ,"})
      CAF_CHECK_EQUAL(get(item, {{"if-match", list}}, method).status, 200);
    for (const auto& list :
         texts{"W/" + tag, "w/" + tag, "\"x\"", tag.substr(1), tag + tag, "\"x\" " + tag, "\"x, " + tag, ""})
      CAF_CHECK_EQUAL(get(item, {{"if-match", list}}, method).status, 412);
    for (const auto& list : texts{"W/" + tag, "\"a,b\", W/" + tag, "\"x\"," + tag + ",\"y\""})
      CAF_CHECK_EQUAL(get(item, {{"if-none-match", list}}, method).status, 304);
    for (const auto& list : texts{"\"x,*\"", "w/" + tag, "\"x\", *", tag + tag})
      CAF_CHECK_EQUAL(get(item, {{"if-none-match", list}}, method).status, 200);
  }
}

CAF_TEST(conditions_on_a_time_are_ignored_where_nothing_has_one) {
  auto past = "Sun, 06 Nov 1994 08:49:37 GMT", future = "Fri, 21 Nov 2036 12:00:00 GMT";
  for (auto when : {past, future, "nonsense"}) {
    CAF_CHECK_EQUAL(get(one("hello"), {{"if-modified-since", when}}).status, 200);
    CAF_CHECK_EQUAL(get(one("hello"), {{"if-unmodified-since", when}}).status, 200);
    CAF_CHECK_EQUAL(get(one("hello"), {{"range", "bytes=0-1"}, {"if-range", when}}).status, 200);
  }
}

CAF_TEST(every_answer_says_what_caches_may_do_with_it) {
  auto caching = [](const http::response& answer) {
    auto head = http::head_of(answer, "now", "");
    auto at = head.find("Cache-Control: ");
    return at == std::string::npos || head.find("Cache-Control: ", at + 1) != std::string::npos
               ? "none or two"
               : head.substr(at + 15, head.find("\r\n", at) - at - 15);
  };
  auto item = one("hello");
  for (const auto& answer :
       {get(item), get(item, {{"range", "bytes=0-1"}}), get(item, {{"if-none-match", "*"}}),
        get(item, {{"if-match", "\"x\""}}), get(one("", true)), get(two("a", "b")), get(item, {}, "HEAD")})
    CAF_CHECK_EQUAL(caching(answer), "no-cache");
  CAF_CHECK_EQUAL(caching(get(item, {{"range", "bytes=9-"}})), "no-store");
  CAF_CHECK_EQUAL(caching(get(item_versions{})), "no-store");
  CAF_CHECK_EQUAL(caching(reply_to(ask("DELETE", "/data/a"), write_receipt{})), "no-store");
  CAF_CHECK_EQUAL(caching(reply_to(ask("GET", "/data"), item_page{})), "no-cache");
  CAF_CHECK_EQUAL(caching(reply_to(ask("GET", "/cluster"), cluster_report{})), "no-store");
  CAF_CHECK(has_field(render_head(item), "Cache-Control: no-cache"));
}

CAF_TEST(forms_of_one_answer_have_tags_of_their_own_and_name_accept) {
  auto item = two("first", "second");
  field_list json{{"accept", "application/json"}};
  auto parts_tag = etag_of(get(item)), json_tag = etag_of(get(item, json));
  CAF_CHECK(parts_tag != json_tag);
  const auto whole = get(item);
  CAF_CHECK_EQUAL(*whole.field("Vary"), "Accept");
  CAF_CHECK_EQUAL(etag_of(get(item, json, "HEAD")), json_tag);
  CAF_CHECK(!get(one("hello"), json).field("Vary"));
  CAF_CHECK_EQUAL(etag_of(get(one("hello"), json)), one("hello").versions.etag());
  auto conditional = [&](std::string tag, std::string accept) {
    return get(item, {{"if-none-match", std::move(tag)}, {"accept", std::move(accept)}});
  };
  const auto known = conditional(json_tag, "application/json");
  CAF_CHECK_EQUAL(known.status, 304);
  CAF_CHECK_EQUAL(etag_of(known), json_tag);
  CAF_CHECK_EQUAL(*known.field("Vary"), "Accept");
  CAF_CHECK_EQUAL(conditional(json_tag, "*/*").status, 300);
  CAF_CHECK_EQUAL(conditional(parts_tag, "application/json").status, 300);
  CAF_CHECK_EQUAL(conditional(parts_tag, "*/*").status, 304);
}

CAF_TEST(siblings_come_in_the_form_that_is_welcome) {
  auto type = [](std::string accept) {
    return *get(two("a", "b"), {{"accept", std::move(accept)}}).field("Content-Type");
  };
  for (auto json : {"application/json", "Application/JSON", "text/html, application/json;charset=utf-8",
                    "application/*", "application/json, text/plain, */*",
                    "multipart/mixed;q=0.5, application/json;q=0.6", "multipart/mixed, application/json"})
    CAF_CHECK_EQUAL(type(json), "application/json");
  for (auto parts : {"multipart/mixed, application/json;q=0", "application/jsonlines", "*/*", "", "text/html",
                     "multipart/*, application/json;q=0.9", "*/*, application/json;q=0.5"})
    CAF_CHECK(type(parts).starts_with("multipart/mixed"));
}

CAF_TEST(one_range_is_answered_by_that_part) {
  auto item = one("0123456789");
  auto part = get(item, {{"range", "bytes=2-4"}});
  CAF_CHECK_EQUAL(part.status, 206);
  CAF_CHECK_EQUAL(part.content(), "234");
  CAF_CHECK_EQUAL(*part.field("Content-Range"), "bytes 2-4/10");
  CAF_CHECK_EQUAL(get(item, {{"range", "bytes=-3"}}).content(), "789");
  CAF_CHECK_EQUAL(get(item, {{"range", "Bytes=-3"}}).content(), "789");
  CAF_CHECK_EQUAL(get(item, {{"range", "bytes=2-4"}, {"if-range", "W/" + item.versions.etag()}}).status, 200);
  CAF_CHECK_EQUAL(get(item, {{"range", "bytes=8-"}}).content(), "89");
  auto beyond = get(item, {{"range", "bytes=10-"}});
  CAF_CHECK_EQUAL(beyond.status, 416);
  CAF_CHECK_EQUAL(*beyond.field("Content-Range"), "bytes */10");
  CAF_CHECK_EQUAL(get(item, {{"range", "bytes=2-4"}, {"if-range", "\"old\""}}).status, 200);
}

CAF_TEST(ranges_in_other_units_or_without_sense_are_ignored) {
  auto item = one("0123456789");
  for (auto text : {"lines=1-2", "bytes=4-2", "bytes=", "bytes", "bytes=0-1,3-4"})
    CAF_CHECK_EQUAL(get(item, {{"range", text}}).status, 200);
}

CAF_TEST(a_head_has_the_length_of_the_value_it_leaves_out) {
  auto item = one("hello");
  item.values.clear();
  auto answer = get(item, {}, "HEAD");
  CAF_CHECK_EQUAL(answer.status, 200);
  CAF_CHECK_EQUAL(answer.length.value_or(0), 5u);
  CAF_CHECK(http::head_of(answer, "now", "").find("Content-Length: 5\r\n") != std::string::npos);
}

CAF_TEST(siblings_come_as_parts_that_no_value_can_break) {
  auto item = two("first", "second");
  auto plain = get(item);
  CAF_CHECK_EQUAL(plain.status, 300);
  auto type = *plain.field("Content-Type");
  auto boundary = type.substr(type.find('=') + 1);
  CAF_CHECK(plain.content().find("\r\n\r\nfirst\r\n--" + boundary) != std::string::npos);
  CAF_CHECK(plain.content().find("\r\n\r\nsecond\r\n--" + boundary + "--") != std::string::npos);
  item.values.front() = blob{"a value with --" + boundary + " inside"};
  CAF_CHECK(*get(item).field("Content-Type") != type);
}

CAF_TEST(siblings_come_as_json_when_asked_for) {
  auto answer = get(two("first", "second!"), {{"accept", "text/html, application/json"}});
  CAF_CHECK_EQUAL(answer.status, 300);
  auto document = nlohmann::json::parse(answer.content());
  CAF_CHECK_EQUAL(document["versions"].size(), 2u);
  CAF_CHECK_EQUAL(document["versions"][0]["value"], "Zmlyc3Q=");
  CAF_CHECK_EQUAL(document["versions"][1]["value"], "c2Vjb25kIQ==");
}

CAF_TEST(the_ready_head_says_the_same_as_a_computed_answer) {
  auto item = one("hello");
  auto ready = render_head(item) + "Date: now\r\n\r\n";
  auto computed = http::head_of(get(item), "now", "");
  for (auto field : {"HTTP/1.1 200 OK\r\n", "Content-Type: text/plain\r\n", "Content-Length: 5\r\n",
                     "Gnomon-Copy: local\r\n", "Accept-Ranges: bytes\r\n", "Gnomon-Served-By: n1\r\n"}) {
    CAF_CHECK(ready.find(field) != std::string::npos);
    CAF_CHECK(computed.find(field) != std::string::npos);
  }
  CAF_CHECK_EQUAL(ready.size(), computed.size());
  CAF_CHECK_EQUAL(render_head(two("a", "b")), "");
  CAF_CHECK_EQUAL(render_head(one("", true)), "");
}

CAF_TEST(no_stored_text_can_add_a_header_field) {
  auto item = one("hello");
  item.versions.siblings.front().content_type = "text/plain\r\nSet-Cookie: x";
  CAF_CHECK(render_head(item).find("\r\nSet-Cookie") == std::string::npos);
  CAF_CHECK(http::head_of(get(item), "now", "").find("\r\nSet-Cookie") == std::string::npos);
}
