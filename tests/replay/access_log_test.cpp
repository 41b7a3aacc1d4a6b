#define CAF_SUITE access_log
#include "runtime/replay/trace.hpp"

#include "temporary_folder.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::replay;

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

CAF_TEST(the_network_of_a_client_is_its_16_or_32_bits) {
  CAF_CHECK_EQUAL(network_of("83.149.9.216"), "83.149.0.0/16");
  CAF_CHECK_EQUAL(network_of("2001:db8:1:2::3"), "2001:db8::/32");
  CAF_CHECK_EQUAL(network_of("proxy.example.org"), "proxy.example.org");
}

CAF_TEST(clients_of_one_network_read_in_one_region) {
  temporary_folder folder;
  std::string text;
  for (int host = 1; host < 50; ++host)
    for (auto network : {"83.149.", "10.0.", "192.168.", "172.16.", "8.8."})
      text += network + std::to_string(host) + ".7 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1\n";
  auto t = load_trace(folder.write("access.log", text), {0, {"a", "b", "c"}});
  CAF_REQUIRE(t);
  CAF_CHECK(t->from_access_log);
  CAF_CHECK(t->regions.size() > 1u && t->regions.size() <= 3u);
  for (size_t i = 5; i < t->reads.size(); ++i)
    CAF_CHECK_EQUAL(t->reads[i].region, t->reads[i - 5].region);
}
