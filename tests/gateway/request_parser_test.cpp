#define CAF_SUITE request_parser
#include "runtime/gateway/request_parser.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace gnomon::http;

namespace {

struct outcome {
  bool taken = false;
  int status = 0; // of a refusal by `find_fault`; 400 when Beast refuses
  request_head head;
  std::string body;
  bool complete = false;
};

// Gives `text` to the parser as a connection does: the head whole, the rest in pieces of `cut` bytes.
outcome parse(const std::string& text, size_t cut = SIZE_MAX) {
  outcome result;
  auto end = text.find("\r\n\r\n");
  if (end == std::string::npos || is_broken(std::string_view{text}.substr(0, end), '\0'))
    return result;
  body_budget budget;
  budget.limit = 1u << 20;
  body_share share{budget};
  request_parser parser{result.head, result.body, share, 1u << 20};
  boost::beast::error_code fault;
  auto used = parser.read(text, fault);
  auto refused = fault ? std::optional{head_fault{400, "", ""}} : find_fault(result.head);
  result.status = refused ? refused->status : 0;
  if (refused)
    return result;
  parser.eager(true);
  for (auto seen = used; !parser.is_done() && !fault && seen < text.size();) {
    seen = std::min(text.size(), cut > text.size() ? text.size() : seen + cut);
    while (!parser.is_done() && !fault && used < seen)
      used += parser.read(std::string_view{text}.substr(used, seen - used), fault);
    if (fault == boost::beast::http::error::need_more)
      fault = {};
  }
  result.complete = parser.is_done();
  result.taken = !fault;
  return result;
}

std::string with(const std::string& fields, const std::string& line = "GET /data/a HTTP/1.1") {
  return line + "\r\nHost: x\r\n" + fields + "\r\n";
}

int status_of(const std::string& text) {
  auto result = parse(text);
  return result.taken ? 200 : result.status;
}

std::string chunked(const std::string& body) {
  return with("Transfer-Encoding: chunked\r\n", "PUT /data/a HTTP/1.1") + body;
}

bool takes_body(const std::string& body, size_t cut = SIZE_MAX) {
  auto result = parse(chunked(body), cut);
  return result.taken && result.complete;
}

// Read by the letter of RFC 9112 and without any leniency, as another server may do it.
bool strict_reader_takes(std::string_view head) {
  auto line = head.substr(0, head.find("\r\n"));
  unsigned hosts = 0, lengths = 0, codings = 0;
  auto target = line.substr(std::min(line.find(' '), line.size()));
  if (target.find_first_of("#\\\t") != std::string_view::npos || std::count(line.begin(), line.end(), ' ') != 2)
    return false;
  for (auto rest = head.substr(line.size() + 2); !rest.empty() && !rest.starts_with("\r\n");) {
    auto field = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), field.size() + 2));
    auto colon = field.find(':');
    auto name = lower_case(field.substr(0, colon));
    if (colon == std::string_view::npos || name.empty() || name.find_first_of(" \t") != std::string::npos)
      return false;
    for (auto c : field)
      if ((static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7F)
        return false;
    auto value = gnomon::trimmed(field.substr(colon + 1));
    hosts += name == "host";
    lengths += name == "content-length";
    codings += name == "transfer-encoding";
    if (name == "content-length" && value.find_first_not_of("0123456789") != std::string_view::npos)
      return false;
    if (name == "transfer-encoding" && lower_case(value) != "chunked")
      return false;
  }
  auto old = line.ends_with("HTTP/1.0");
  return hosts <= 1 && (old || hosts == 1) && lengths <= 1 && codings + lengths <= 1 && !(old && codings > 0);
}

std::string some_head(std::mt19937_64& random) {
  static const std::vector<std::string> lines{
      "GET /data/a HTTP/1.1", "PUT /data/a HTTP/1.0", "GET http://x/data/a HTTP/1.1",
      "GET /a#b HTTP/1.1",    "GET  /a HTTP/1.1",     "GET /a HTTP/1.1 "};
  static const std::vector<std::string> fields{"Host: x",
                                               "Host: y",
                                               "Host : x",
                                               "Content-Length: 3",
                                               "Content-Length: 3, 3",
                                               "Content-Length: +3",
                                               "Content-Length:",
                                               " folded: yes",
                                               "Transfer-Encoding: chunked",
                                               "X: a\r\n b",
                                               "X:\r\n b",
                                               "X: \r\n\t",
                                               ": nameless",
                                               "Transfer-Encoding: gzip",
                                               "Transfer-Encoding:\tChunked",
                                               "Accept: */*",
                                               "X: a\nHost: z",
                                               "X: a\rHost: z",
                                               "Connection: close",
                                               "no colon"};
  auto pick = [&](const auto& from) { return from[random() % from.size()]; };
  auto text = pick(lines) + "\r\n" + (random() % 4 > 0 ? "Host: x\r\n" : "");
  for (auto n = random() % 4; n > 0; --n)
    text += pick(fields) + "\r\n";
  text += "\r\n";
  if (random() % 3 == 0)
    text[random() % (text.size() - 4)] = static_cast<char>(random());
  if (random() % 4 == 0)
    text.insert(random() % (text.size() - 4), 1, " \t\r\n:\0#,"[random() % 8]);
  return text;
}

void compare_readers(uint64_t seed) {
  CAF_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  size_t taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto text = some_head(random);
    auto result = parse(text);
    auto head = std::string_view{text}.substr(0, text.find("\r\n\r\n") + 4);
    taken += result.taken;
    if (result.taken && !strict_reader_takes(head))
      CAF_ERROR("taken, though a strict reader reads it differently: " << text);
    for (size_t n = 0; result.taken && n < head.size(); n += 7)
      if (is_broken(head.substr(0, n), '\0'))
        CAF_ERROR("called broken when only a part had come: " << text);
  }
  CAF_CHECK_GREATER(taken, 400u);
}

} // namespace

CAF_TEST(heads_that_two_readers_may_read_differently_are_refused) {
  CAF_CHECK_EQUAL(status_of(with("")), 200);
  for (const std::string field : {"X: a\r\n b\r\n",
                                  "X:\r\n b\r\n",
                                  "X: \r\n \r\n",
                                  "X : a\r\n",
                                  " X: a\r\n",
                                  "Host: y\r\n",
                                  "X: a\nY: b\r\n",
                                  "Content-Length: 3, 3\r\n",
                                  "Content-Length: 3\r\nContent-Length: 3\r\n",
                                  "Content-Length: +3\r\n",
                                  "Content-Length: 0x3\r\n",
                                  "Content-Length:\r\n",
                                  "Content-Length: 99999999999999999999\r\n",
                                  "Content-Type: a/b\r\nContent-Type: c/d\r\n",
                                  "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                                  "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                                  ": a\r\n",
                                  "X\r\n",
                                  "X: a\x01\r\n",
                                  "X: a\x7F\r\n"})
    if (auto text = with(field); parse(text).taken)
      CAF_ERROR("taken: " << text);
  CAF_CHECK_EQUAL(status_of("GET /data/a HTTP/1.1\r\n\r\n"), 400);
  CAF_CHECK_EQUAL(status_of("GET /data/a HTTP/1.0\r\n\r\n"), 200);
  CAF_CHECK_EQUAL(status_of("GET /data/a HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n"), 400);
  for (const std::string host : {"a b", "a,b", "a/b", "a@b", "a#b"})
    CAF_CHECK_EQUAL(status_of("GET /data/a HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), 400);
  for (const std::string host : {"x", "x:80", "[::1]:80", "192.0.2.1", ""})
    CAF_CHECK_EQUAL(status_of("GET /data/a HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), 200);
}

CAF_TEST(transfer_codings_but_a_single_chunked_are_not_understood) {
  auto coded = [](const std::string& field) { return status_of(with(field, "PUT /data/a HTTP/1.1") + "0\r\n\r\n"); };
  CAF_CHECK_EQUAL(coded("Transfer-Encoding: chunked\r\n"), 200);
  CAF_CHECK_EQUAL(coded("Transfer-Encoding: CHUNKED \r\n"), 200);
  for (const std::string coding :
       {"gzip, chunked", "chunked, gzip", "gzip", "identity", "identity, chunked", "foo, chunked", "chunked, chunked",
        "chunked;q=1", ", chunked", "chunked,", "\"chunked\"", "xchunked", ""})
    CAF_CHECK_EQUAL(coded("Transfer-Encoding: " + coding + "\r\n"), 501);
  CAF_CHECK_EQUAL(coded("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501);
  CAF_CHECK_EQUAL(status_of(with("Transfer-Encoding: chunked\r\n", "PUT /data/a HTTP/1.0") + "0\r\n\r\n"), 400);
}

CAF_TEST(targets_have_one_of_the_forms_that_every_reader_knows) {
  auto target = [](const std::string& text) { return status_of(with("", "GET " + text + " HTTP/1.1")); };
  for (auto good : {"/data/a", "http://x/data/a", "HTTPS://x:80/data/a?b", "http://x", "http://x?a=/data/b"})
    CAF_CHECK_EQUAL(target(good), 200);
  for (auto bad : {"data/a", "/data/a#b", "/data/a\\b", "ftp://x/data/a", "http:///data/a", "http://u@x/data/a", "*",
                   "x:80", "data/x://y/data/z", "http://"})
    CAF_CHECK_EQUAL(target(bad), 400);
  CAF_CHECK_EQUAL(status_of(with("", "OPTIONS * HTTP/1.1")), 200);
  CAF_CHECK_EQUAL(split_target("http://x?a=/data/b").first, "");
  CAF_CHECK_EQUAL(split_target("http://x?a=/data/b").second, "a=/data/b");
  CAF_CHECK_EQUAL(split_target("http://x/data/a?b").first, "/data/a");
  CAF_CHECK_EQUAL(split_target("/data/http://x/b").first, "/data/http://x/b");
}

CAF_TEST(chunks_are_read_by_the_letter) {
  for (size_t cut : {SIZE_MAX, size_t{1}, size_t{3}}) {
    CAF_CHECK(takes_body("3\r\nabc\r\n0\r\n\r\n", cut));
    CAF_CHECK(takes_body("0\r\n\r\n", cut));
    CAF_CHECK(takes_body("3;a=b;c=\"d\"\r\nabc\r\n0;e\r\nX: y\r\n\r\n", cut));
    CAF_CHECK(takes_body("A\r\n0123456789\r\n00\r\n\r\n", cut));
    for (const std::string bad :
         {"3\nabc\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "+3\r\nabc\r\n0\r\n\r\n",
          "0x3\r\nabc\r\n0\r\n\r\n", " 3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n",
          "\r\nabc\r\n0\r\n\r\n", "3;a=\"b\nc\"\r\nabc\r\n0\r\n\r\n", "10000000000000003\r\nabc\r\n0\r\n\r\n",
          "00000000000000000000003\r\nabc\r\n0\r\n\r\n", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
          "3\r\nabc\r\n0\r\nX: a\r\n b\r\n\r\n", "3\r\nabc\r\n0\r\nX:\r\n b\r\n\r\n", "3\r\nabc\r\n0\r\nX : y\r\n\r\n",
          "3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n", "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"})
      if (takes_body(bad, cut))
        CAF_ERROR("taken: " << bad);
  }
}

CAF_TEST(extensions_of_chunks_are_bounded_over_the_whole_body) {
  std::string few, many;
  for (int i = 0; i < 1000; ++i)
    (i < 100 ? few : many) += "1;name=value\r\nx\r\n";
  CAF_CHECK(takes_body(few + "0\r\n\r\n"));
  CAF_CHECK(!takes_body(many + "0\r\n\r\n"));
}

CAF_TEST(a_version_that_is_not_understood_is_told_from_nonsense) {
  CAF_CHECK(names_other_version("GET / HTTP/2.0\r\n\r\n"));
  CAF_CHECK(names_other_version("PRI * HTTP/2.0\r\n\r\n"));
  for (auto text : {"GET / HTTP/1.1 \r\n\r\n", "GET / HTTX/1.1\r\n\r\n", "GET / HTTP/1.10\r\n\r\n", "GET /\r\n\r\n"})
    CAF_CHECK(!names_other_version(text));
}

CAF_TEST(what_is_taken_a_strict_reader_takes_too) {
  compare_readers(1);
  compare_readers(std::random_device{}());
}
