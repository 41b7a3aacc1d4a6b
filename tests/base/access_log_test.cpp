#define CAF_SUITE access_log
#include "runtime/base/access_log.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

std::string line(const std::string& request, const std::string& status = "200",
                 const std::string& date = "17/May/2015:10:05:03 +0000") {
  return "83.149.9.216 - - [" + date + "] \"" + request + "\" " + status + " 203023";
}

raw_read parsed(const std::string& text) {
  auto result = parse_access_log_line(text);
  return std::holds_alternative<raw_read>(result) ? std::get<raw_read>(result) : raw_read{-1, "?", "?", "?"};
}

std::string reason(const std::string& text) {
  auto result = parse_access_log_line(text);
  return std::holds_alternative<malformed>(result) ? std::get<malformed>(result).reason : "no complaint";
}

bool is_no_read(const std::string& text) {
  return std::holds_alternative<no_read>(parse_access_log_line(text));
}

} // namespace

CAF_TEST(common_and_combined_lines_give_client_date_and_path) {
  for (auto tail : {"", R"x( "http://a/" "Mozilla/5.0 (X \"11\")")x", " \"-\" \"cut off"}) {
    auto read = parsed(line("GET /images/a%20b.png?size=2 HTTP/1.1") + tail);
    CAF_CHECK_EQUAL(read.t, 1431857103.0);
    CAF_CHECK_EQUAL(read.user, "83.149.9.216");
    CAF_CHECK_EQUAL(read.region, "");
    CAF_CHECK_EQUAL(read.item, "web/images/a%20b.png");
  }
}

CAF_TEST(a_date_counts_in_its_zone) {
  CAF_CHECK_EQUAL(parsed(line("GET / HTTP/1.0", "200", "17/May/2015:12:05:03 +0200")).t, 1431857103.0);
  CAF_CHECK_EQUAL(parsed(line("GET / HTTP/1.0", "200", "17/May/2015:06:35:03 -0330")).t, 1431857103.0);
  CAF_CHECK_EQUAL(parsed(line("GET / HTTP/1.0", "200", "29/Feb/2016:00:00:00 +0000")).t, 1456704000.0);
}

CAF_TEST(only_gets_that_were_answered_are_reads) {
  CAF_CHECK(is_no_read(line("POST /form HTTP/1.1")));
  CAF_CHECK(is_no_read(line("HEAD / HTTP/1.1")));
  CAF_CHECK(is_no_read(line("GET /old HTTP/1.1", "301")));
  CAF_CHECK(is_no_read(line("GET /none HTTP/1.1", "404")));
  CAF_CHECK(is_no_read(line("-", "408")));
  CAF_CHECK_EQUAL(parsed(line("GET /same HTTP/1.1", "304")).item, "web/same");
  CAF_CHECK_EQUAL(parsed(line("GET /part HTTP/1.1", "206")).item, "web/part");
}

CAF_TEST(proxied_and_old_requests_are_understood) {
  CAF_CHECK_EQUAL(parsed(line("GET http://example.org/a?b HTTP/1.1")).item, "web/a");
  CAF_CHECK_EQUAL(parsed(line("GET http://example.org HTTP/1.1")).item, "web/");
  CAF_CHECK_EQUAL(parsed(line("GET /from?to=http://x/ HTTP/1.1")).item, "web/from");
  CAF_CHECK_EQUAL(parsed(line("GET /simple")).item, "web/simple");
}

CAF_TEST(each_bad_log_line_has_its_reason) {
  CAF_CHECK_EQUAL(reason("rubbish"), "is not host, identity, user, [date], \"request\" and status");
  CAF_CHECK_EQUAL(reason(R"(1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1)"),
                  "is not host, identity, user, [date], \"request\" and status");
  for (auto bad : {"17/Mai/2015:10:05:03 +0000", "31/Feb/2015:10:05:03 +0000", "17/May/2015:24:05:03 +0000",
                   "17/May/2015 10:05:03 +0000", "1/May/2015:10:05:03 +0000", "17/May/2015:-1:05:03 +0000"})
    CAF_CHECK_EQUAL(reason(line("GET / HTTP/1.1", "200", bad)),
                    "the date [" + std::string{bad} + "] is not like 17/May/2015:10:05:03 +0000");
  CAF_CHECK_EQUAL(reason(line("GET / HTTP/1.1", "ok")), "the status \"ok\" is not one of HTTP");
  CAF_CHECK_EQUAL(reason(line("GET * HTTP/1.1")), "the request \"GET * HTTP/1.1\" names no path");
  CAF_CHECK_EQUAL(reason(line("GET")), "the request \"GET\" names no path");
  CAF_CHECK(reason(line("GET /\xFF HTTP/1.1")).find("the path cannot be an id: ") == 0);
}

namespace {

/// The reader of a line that begins with `front`; what is wrong when it cannot be told.
std::string reader_behind(const std::string& front) {
  const auto result = parse_access_log_line(front + " [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 10");
  if (const auto* read = std::get_if<raw_read>(&result))
    return read->user;
  return std::get<malformed>(result).reason.starts_with("does not tell which of") ? "not understood" : "?";
}

} // namespace

CAF_TEST(a_virtual_host_in_front_is_not_the_reader) {
  for (auto host : {"www.example.com:80", "www.example.com", "localhost", "192.0.2.80", "192.0.2.80:443",
                    "[2001:db8::1]:443", "-"}) {
    CAF_CHECK_EQUAL(reader_behind(std::string{host} + " 198.51.100.7 - -"), "198.51.100.7");
    CAF_CHECK_EQUAL(reader_behind(std::string{host} + " 2001:db8::7 - ann"), "2001:db8::7");
    CAF_CHECK_EQUAL(reader_behind(std::string{host} + " 198.51.100.7 - ann of somewhere"), "198.51.100.7");
  }
  CAF_CHECK_EQUAL(reader_behind("www.example.com client.example.org - -"), "client.example.org");
}

CAF_TEST(the_reader_is_an_address_without_its_port_or_a_name) {
  CAF_CHECK_EQUAL(reader_behind("198.51.100.7 - John Smith"), "198.51.100.7");
  CAF_CHECK_EQUAL(reader_behind("198.51.100.7:54321 - -"), "198.51.100.7");
  CAF_CHECK_EQUAL(reader_behind("[2001:db8::7]:54321 - -"), "2001:db8::7");
  CAF_CHECK_EQUAL(reader_behind("2001:db8::7 - -"), "2001:db8::7");
  CAF_CHECK_EQUAL(reader_behind("client.example.org - -"), "client.example.org");
  CAF_CHECK_EQUAL(reader_behind("client.example.org - John Smith"), "client.example.org");
}

CAF_TEST(a_line_that_does_not_tell_its_reader_is_not_understood) {
  for (auto front : {"- - -", "192.0.2.1 10.0.0.1 -", "www.example.com 192.0.2.1 -", "www.example.com:80 - -",
                     "www.example.com:80 - - -", "1.2.3.4, 5.6.7.8 - -", "1.2.3.4, 5.6.7.8, 9.9.9.9 - -", "a b",
                     "one two three four"})
    CAF_CHECK_EQUAL(reader_behind(front), "not understood");
}

CAF_TEST(a_path_is_what_was_asked_for) {
  CAF_CHECK_EQUAL(parsed(line("GET /a b/c d.html?q=1 2 HTTP/1.1")).item, "web/a b/c d.html");
  CAF_CHECK_EQUAL(parsed(line(R"(GET /say\"hi\" HTTP/1.1)")).item, "web/say\"hi\"");
  CAF_CHECK_EQUAL(parsed(line(R"(GET /say\x22\xC3\xBC\\ HTTP/1.1)")).item, "web/say\"ü\\");
  CAF_CHECK_EQUAL(reason(line("GET /a b")), "the request \"GET /a b\" names no path"); // no version says where it ends
  CAF_CHECK(reason(line(R"(GET /\xFF HTTP/1.1)")).find("the path cannot be an id: ") == 0);
}

CAF_TEST(what_is_no_read_says_why) {
  CAF_CHECK(std::get<no_read>(parse_access_log_line(line("POST / HTTP/1.1"))) == no_read::other_method);
  CAF_CHECK(std::get<no_read>(parse_access_log_line(line("GET / HTTP/1.1", "302"))) == no_read::redirected);
  CAF_CHECK(std::get<no_read>(parse_access_log_line(line("GET / HTTP/1.1", "404"))) == no_read::failed);
}
