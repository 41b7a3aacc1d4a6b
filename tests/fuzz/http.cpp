// A request as a connection receives it: the head, and a body of known length or in chunks.
#include "runtime/base/byte_range.hpp"
#include "runtime/gateway/accept.hpp"
#include "runtime/gateway/request_parser.hpp"
#include "runtime/gateway/routes.hpp"
#include "runtime/gateway/uri.hpp"
#include "tests/fuzz/target.hpp"

#include "runtime/base/etag.hpp"
#include "runtime/base/percent.hpp"

#include <algorithm>

namespace gnomon::fuzz {
namespace {

using namespace http;

constexpr size_t max_head_bytes = 16u << 10;
constexpr size_t max_body_bytes = 64u << 10;

struct outcome {
  bool complete = false;
  request asked;
};

// What the handlers do with a head that was accepted.
void look_at(const request& asked) {
  if (auto refusal = refuse(asked, find_route(asked.path)))
    head_of(*refusal, "Sun, 06 Nov 1994 08:49:37 GMT", "close");
  percent_decode(asked.path);
  for (auto name : {"prefix", "limit", "after", "min_copies", "value"})
    query_parameter(asked.query, name);
  flag_parameter(asked.query, "deleted", false);
  if (auto* field = asked.field("range")) {
    const auto part = parse_range(*field, 1000);
    require(part.first + part.count <= 1000, "a range lies within the value");
  }
  if (auto* field = asked.field("accept"))
    require(welcome_of(*field, "application/json").thousandths <= 1000, "no weight is above one");
  if (auto* field = asked.field("if-none-match"))
    names_tag(*field, "\"tag\"", true);
}

// As http_connection does, with `piece` bytes from each read of the socket. What waits for more lies in a buffer of its
// own size.
outcome receive(std::string_view text, size_t piece) {
  outcome result;
  const auto head_end = text.substr(0, max_head_bytes).find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    is_broken(text, '\0');
    return result;
  }
  auto arrived = std::min(text.size(), std::max(piece, head_end + 4));
  std::vector<char> buffer{text.begin(), text.begin() + static_cast<ptrdiff_t>(arrived)};
  body_budget budget;
  budget.limit = max_body_bytes;
  body_share share{budget};
  request_head head;
  std::string body;
  request_parser parser{head, body, share, max_body_bytes};
  boost::beast::error_code fault;
  auto used = parser.read({buffer.data(), buffer.size()}, fault);
  if (fault) {
    names_other_version({buffer.data(), buffer.size()});
    return result;
  }
  if (find_fault(head))
    return result;
  result.asked = to_request(head, parser.chunked() || parser.content_length().has_value());
  parser.eager(true);
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(used));
  size_t searched = 0;
  while (!parser.is_done()) {
    while (!parser.is_done() && !buffer.empty() && !fault) {
      used = parser.read({buffer.data(), buffer.size()}, fault);
      require(used <= buffer.size(), "no more is used than there is");
      buffer = {buffer.begin() + static_cast<ptrdiff_t>(used), buffer.end()};
      searched = used == 0 ? searched : 0;
    }
    if (fault && fault != boost::beast::http::error::need_more)
      return result;
    fault = {};
    if (parser.is_done())
      break;
    const auto rest = std::string_view{buffer.data(), buffer.size()};
    if (is_broken(rest.substr(searched), searched == 0 ? '\0' : rest[searched - 1]) || arrived == text.size())
      return result;
    searched = rest.size();
    const auto more = text.substr(arrived, piece);
    arrived += more.size();
    buffer.insert(buffer.end(), more.begin(), more.end());
  }
  require(body.size() <= max_body_bytes, "no body is larger than its bound");
  result.complete = true;
  result.asked.body = std::move(body);
  return result;
}

void read(std::string_view input) {
  const auto whole = receive(input, SIZE_MAX / 2), in_pieces = receive(input, 1);
  look_at(whole.asked);
  if (!whole.complete || !in_pieces.complete)
    return;
  require(whole.asked.body == in_pieces.asked.body, "a body is the same however it arrives");
  require(whole.asked.path == in_pieces.asked.path, "a request is the same however it arrives");
}

std::vector<std::string> examples() {
  return {
      "GET /data/news/1 HTTP/1.1\r\nHost: node:8101\r\n\r\n",
      "GET /data?prefix=a%2Fb&limit=10&deleted=true HTTP/1.1\r\nHost: [::1]:8101\r\nAccept: text/*;q=0.5, "
      "application/json;charset=\"utf-8\"\r\n\r\n",
      "PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nIf-None-Match: "
      "*\r\n\r\nvalue",
      "PUT /data/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n3;a=\"b\"\r\nabc\r\n"
      "A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
      "HEAD http://node:8101/data/a?x#y HTTP/1.0\r\nRange: bytes=-5\r\nIf-Range: \"tag\"\r\nConnection: "
      "keep-alive\r\n\r\n",
      "POST /prefetch/train HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"
      "\r\n1\r\n{\r\n0\r\n\r\n",
      "DELETE /data/a HTTP/1.1\r\nHost: x\r\nGnomon-Context: AAAA\r\nIf-Match: W/\"a\", \"b\"\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: close\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
  };
}

const listed this_target{"http", read, examples};

} // namespace
} // namespace gnomon::fuzz
