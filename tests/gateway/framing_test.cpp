#define CAF_SUITE framing
#include "server_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::test;

namespace {

const std::string next = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

std::string put(const std::string& fields, const std::string& body = {}, const std::string& version = "1.1") {
  return "PUT /data/a HTTP/" + version + "\r\nHost: x\r\n" + fields + "\r\n" + body;
}

size_t answers_in(const std::string& text) {
  size_t count = 0;
  for (auto at = text.find("HTTP/1.1 "); at != std::string::npos; at = text.find("HTTP/1.1 ", at + 1))
    count += std::isdigit(static_cast<unsigned char>(text[at + 9])) != 0; // not a sentence that names the version
  return count;
}

struct framing_fixture : server_fixture {
  /// All that comes back to `text` with another request right behind it.
  std::string all(const std::string& text) {
    connection client{port};
    client.send(text + next);
    return client.read_all();
  }
  void check_refused(const std::string& text, int status) {
    auto heard = all(text);
    if (!is(heard, status) || answers_in(heard) != 1 || !has(heard, "\r\nConnection: close\r\n") || stored() > 0)
      CAF_ERROR("not refused with " << status << ":\n" << text << "\nanswer:\n" << heard);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(framing_tests, framing_fixture)

CAF_TEST(what_two_readers_may_read_differently_ends_the_connection) {
  start();
  const std::string chunk = "3\r\nabc\r\n0\r\n\r\n";
  for (const std::string coding : {"gzip, chunked", "deflate, chunked", "foo, chunked", "chunked, chunked", "identity"})
    check_refused(put("Transfer-Encoding: " + coding + "\r\n", chunk), 501);
  check_refused(put("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunk), 501);
  check_refused(put("Transfer-Encoding: chunked\r\n", chunk, "1.0"), 400);
  check_refused(put("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", chunk), 400);
  check_refused(put("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunk), 400);
  for (const std::string length :
       {"3, 3", "3\r\nContent-Length: 3", "3\r\nContent-Length: 4", "+3", "-3", "3 ", "0x3", ""})
    if (length != "3 ")
      check_refused(put("Content-Length: " + length + "\r\n", "abc"), 400);
  for (const std::string field :
       {"X: a\r\n b", "X:\r\n b", "X : a", " X: a", "Host: y", "X: a\nY: b", "X: a\rY: b", "X: \x01"})
    check_refused("GET /data/a HTTP/1.1\r\nHost: x\r\n" + field + "\r\n\r\n", 400);
  for (const std::string line : {"GET /data/a#b HTTP/1.1", "GET /data/a\\b HTTP/1.1", "GET data/a HTTP/1.1",
                                 "GET  /data/a HTTP/1.1", "GET /data/a HTTP/1.1 ", "GET /data/a b HTTP/1.1",
                                 "GET /data/a\tHTTP/1.1", "CONNECT x:80 HTTP/1.1", "GET * HTTP/1.1"})
    check_refused(line + "\r\nHost: x\r\n\r\n", 400);
}

CAF_TEST(a_host_that_two_proxies_may_read_differently_is_refused) {
  start();
  for (const std::string host : {"a:b", "a:80:80", "a:8 0", "[::1", "::1", "[127.0.0.1]", "[::1]x", "[::1]:x", "a]",
                                 "a%zz", "a, b", "a/b", "a@b", "[]", "a:-1"}) {
    check_refused("GET /data/a HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 400);
    if (host != "a/b")
      check_refused("GET http://" + host + "/data/a HTTP/1.1\r\nHost: x\r\n\r\n", 400);
  }
  for (const std::string host :
       {"", "a", "a:", "a:80", "127.0.0.1:80", "[::1]", "[2001:db8::7]:80", "a%20b", "a_b.c-d."})
    CAF_CHECK_EQUAL(answers_in(all("GET /data/a HTTP/1.1\r\nHost: " + host + "\r\n\r\n")), 2u);
}

CAF_TEST(an_answer_to_head_has_no_body_also_when_the_head_is_refused) {
  start();
  for (const std::string rest : {"/data/a#b HTTP/1.1\r\nHost: x", "/data/a HTTP/1.1", "/data/a b HTTP/1.1\r\nHost: x",
                                 "/data/a HTTP/1.1\nHost: x", "/data/a HTTP/1.1\r\nHost: x\r\nX : y",
                                 "/data/a HTTP/1.1\r\nHost: x\r\nExpect: miracles", "/data/a HTTP/2.0\r\nHost: x"}) {
    connection client{port};
    client.send("HEAD " + rest + "\r\n\r\n");
    auto heard = client.read_all();
    CAF_CHECK(heard.starts_with("HTTP/1.1 "));
    CAF_CHECK(heard.ends_with("\r\n\r\n"));
  }
}

CAF_TEST(bodies_in_broken_chunks_store_nothing_and_end_the_connection) {
  start();
  for (const std::string body :
       {"3\nabc\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "10000000000000003\r\nabc\r\n0\r\n\r\n", "3\nabc\n0\n\n",
        "3\r\nabc\r\n0\r\nX: a\n\r\n", "3\r\nabc\r\n0\n\n", "3\r\nabc\r\n0\r\nX: a\rb\r\n\r\n",
        "3\r\nabc\r\n0\r\nX: a\r\n b\r\n\r\n", "3\r\nabc\r\n0\r\nX:\r\n b\r\n\r\n", "3;a=\"\n\"\r\nabc\r\n0\r\n\r\n"})
    check_refused(put("Transfer-Encoding: chunked\r\n", body), 400);
}

CAF_TEST(a_chunks_head_or_trailer_that_cannot_become_one_is_refused_at_once) {
  start();
  for (const std::string body :
       {"3\n", "3;a\n", "3\r\nabc\r\n0\r\nX: y\n", "3\r\nabc\r\n0\r\nX: \x01", "3\r\nabc\r\n0\r\n\n"}) {
    connection client{port};
    client.send(put("Transfer-Encoding: chunked\r\n"));
    for (auto byte : body)
      client.send(std::string(1, byte));
    CAF_CHECK(is(client.read_answer(), 400));
  }
  CAF_CHECK_EQUAL(stored(), 0u);
}

CAF_TEST(a_head_that_cannot_become_one_is_refused_at_once) {
  start();
  for (const auto& text : {std::string{"GET /data/a HTTP/1.1\nHost: x\n\n"}, std::string{"\x16\x03\x01\x02\x00\x01", 6},
                           std::string{"GET /\x01"}, std::string{"GET /data/a HTTP/1.1\r\nHost: x\n"},
                           std::string{"GET /data/a HTTP/1.1\rHost"}}) {
    connection client{port};
    client.send(text);
    CAF_CHECK(is(client.read_answer(), 400));
  }
}

CAF_TEST(an_old_client_is_sent_no_answer_before_the_answer) {
  start();
  connection waiting{port};
  waiting.send(put("Expect: 100-continue\r\nContent-Length: 2\r\n", "", "1.0"));
  waiting.send("ab");
  CAF_CHECK(is(waiting.read_all(), 201));
  CAF_CHECK(is(once(put("Expect: miracles\r\nContent-Length: 2\r\n", "ab", "1.0")), 204));
  CAF_CHECK(is(once(put("Expect: 100-continue\r\nExpect: miracles\r\nContent-Length: 2\r\n", "ab")), 417));
  CAF_CHECK(is(once(put("Expect: 100-Continue\r\nContent-Length: 2\r\n", "ab")), 204));
}

CAF_TEST(forms_that_are_allowed_go_on_being_read) {
  start();
  CAF_CHECK_EQUAL(answers_in(all(put("Content-Length: 3\r\n", "abc"))), 2u);
  CAF_CHECK_EQUAL(answers_in(all(put("Transfer-Encoding: Chunked\r\n", "3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n"))), 2u);
  CAF_CHECK_EQUAL(answers_in(all("\r\n\r\nGET http://x/data/a HTTP/1.1\r\nHost: x\r\n\r\n")), 2u);
  CAF_CHECK(is(get("http://x/data/a"), 200));
}

CAF_TEST_FIXTURE_SCOPE_END()
