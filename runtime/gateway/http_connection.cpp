#include "runtime/gateway/http_connection.hpp"

#include "runtime/base/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstring>

namespace gnomon::http {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using parse_error = boost::beast::http::error;

constexpr size_t body_buffer_bytes = 128u << 10;
constexpr size_t piece_bytes = 256u << 10; // of a body that is streamed
constexpr uint64_t max_lingered_bytes = 256u << 20;
constexpr auto linger_time = 2s;   // without a further byte
constexpr auto linger_limit = 60s; // altogether
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

// Of a head that may be refused before it is read as a whole: the answer to HEAD has no body in any case.
std::string_view method_of(std::string_view head) {
  return head.starts_with("HEAD ") ? "HEAD" : "";
}

} // namespace

connection::connection(worker& owner, uint64_t serial, asio::ip::tcp::socket socket)
    : owner_(owner), serial_(serial), line_(std::move(socket)), in_(owner.parts().config.max_header_bytes),
      share_(owner.parts().bodies) {
  if (auto other = line_.far())
    peer_ = ip_address::parse(other->to_string());
}

void connection::drain() {
  keep_ = false;
  if (phase_ == phase::opening || (phase_ == phase::head && begin_ == end_) || (phase_ == phase::waiting && streaming_))
    close();
}

void connection::close() {
  if (phase_ == phase::closed)
    return;
  phase_ = phase::closed;
  deadline_ = clock::time_point::max();
  line_.close();
  owner_.forget(serial_);
}

void connection::time_out() {
  guarded([this] { end_in_time(); });
}

void connection::end_in_time() {
  switch (phase_) {
  case phase::head:
    if (begin_ == end_)
      return close();
    return fail(408, name(ec::timeout), "the head of the request did not arrive in time");
  case phase::checking:
    return fail(503, name(ec::overloaded), "too many tokens are being checked; try again");
  case phase::body:
    return fail(408, name(ec::timeout), "the body stopped before its end; nothing was stored");
  case phase::waiting:
    if (streaming_)
      return close();
    keep_ = false;
    return respond(problem(504, name(ec::timeout), "the node found no answer within its bound; try again"));
  default:
    close();
  }
}

/// Says that the request failed, and closes; when its answer is under way, just closes.
void connection::give_up(std::string_view reason) {
  log::error("http", "request-threw", {{"what", reason}});
  if (phase_ == phase::opening || phase_ == phase::writing || phase_ == phase::lingering)
    return close();
  fail(503, name(ec::unavailable), "the node could not carry out this request now; try again");
}

// -- reading ----------------------------------------------------------------------------------------------------------

void connection::read() {
  if (reading_)
    return;
  reading_ = true;
  auto taken = [self = shared_from_this()](const error_code& fault, size_t count) {
    self->reading_ = false;
    self->guarded([&] { self->on_read(fault, count); });
  };
  if (phase_ == phase::lingering)
    line_.read_away(in_.data(), in_.size(), std::move(taken));
  else
    line_.read(in_.data() + end_, in_.size() - end_, std::move(taken));
}

void connection::on_read(const error_code& fault, size_t count) {
  if (phase_ == phase::closed)
    return;
  if (fault)
    return close();
  if (phase_ == phase::lingering) {
    lingered_ += count;
    begin_ = end_ = 0;
    deadline_ = std::min(clock::now() + linger_time, linger_end_);
    return lingered_ > max_lingered_bytes ? close() : read();
  }
  end_ += count;
  if (phase_ == phase::body)
    feed();
  if (phase_ == phase::head)
    serve();
}

// Answers every complete request in the buffer, then waits for more.
void connection::serve() {
  while (phase_ == phase::head && find_head()) {
    started_ = clock::now();
    if (parse_head() && identify())
      answer_head();
  }
  if (phase_ != phase::head)
    return;
  if (begin_ == end_ && !keep_)
    return close();
  const auto& config = owner_.parts().config;
  if (begin_ == end_)
    deadline_ = clock::now() + config.idle_timeout;
  else if (!head_begun_)
    deadline_ = clock::now() + config.head_timeout;
  head_begun_ = begin_ != end_;
  read();
}

void connection::answer_head() {
  if (!answer_from_index())
    begin();
}

// True when [begin_, ...) starts with a complete head. A head that is too long is refused here.
bool connection::find_head() {
  while (end_ - begin_ >= 2 && in_[begin_] == '\r' && in_[begin_ + 1] == '\n')
    begin_ += 2; // empty lines before a request are allowed (RFC 9112, 2.2)
  if (begin_ == end_)
    begin_ = end_ = 0;
  auto limit = owner_.parts().config.max_header_bytes;
  auto received = std::string_view{in_.data() + begin_, std::min<size_t>(end_ - begin_, limit)};
  asked_.method = method_of(received);
  if (received.find("\r\n\r\n", searched_) != std::string_view::npos) {
    searched_ = 0;
    return true;
  }
  if (is_broken(received.substr(searched_), searched_ == 0 ? '\0' : received[searched_ - 1])) {
    fail(400, "bad-request", "the head of the request has a control character, or a line that does not end with CRLF");
    return false;
  }
  searched_ = received.size() < 3 ? 0 : received.size() - 3;
  if (received.size() >= limit) {
    if (received.find('\n') == std::string_view::npos)
      fail(414, name(ec::too_large), "the address is too long; ids may have at most 1,024 bytes");
    else
      fail(431, name(ec::too_large), "the head of the request is larger than 16 KiB or what the node's config allows");
    return false;
  }
  make_room();
  return false;
}

void connection::make_room() {
  if (begin_ == 0)
    return;
  std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

bool connection::parse_head() {
  head_begun_ = false;
  where_ = endpoint::unknown;
  std::string_view bytes{in_.data() + begin_, end_ - begin_};
  parser_.emplace(head_, body_, share_, owner_.parts().config.max_body_bytes);
  error_code fault;
  begin_ += parser_->read(bytes, fault);
  if (fault == parse_error::body_limit)
    fail(413, name(ec::too_large), "the body is larger than values may be (64 MiB)");
  else if (fault == parse_error::bad_version && names_other_version(bytes))
    fail(505, "http-version", "this server speaks HTTP/1.0 and HTTP/1.1");
  else if (fault)
    fail(400, "bad-request", "the request cannot be read: " + fault.message());
  return !fault && head_is_sound();
}

bool connection::head_is_sound() {
  keep_ = parser_->keep_alive() && !owner_.draining();
  auto fault = find_fault(head_);
  if (fault)
    fail(fault->status, fault->error, fault->sentence);
  return !fault;
}

void connection::begin() {
  auto has_body = parser_->chunked() || parser_->content_length().has_value();
  asked_ = to_request(head_, has_body);
  asked_.tls = line_.tls() != nullptr;
  where_ = find_route(asked_.path);
  if (expects() && !same_ignoring_case(*asked_.field("expect"), "100-continue"))
    return fail(417, "expectation-failed", "of the expectations this server knows 100-continue only");
  auto refusal = refuse_asker();
  if (!refusal)
    refusal = refuse(asked_, where_);
  if (refusal) {
    keep_ = keep_ && parser_->is_done();
    return respond(std::move(*refusal));
  }
  if (parser_->is_done())
    return dispatch();
  expect_body();
}

// Clients of HTTP/1.0 know no answers before the answer (RFC 9110, 10.1.1).
bool connection::expects() const {
  return head_.version >= 11 && asked_.field("expect");
}

void connection::expect_body() {
  const auto& config = owner_.parts().config;
  phase_ = phase::body;
  body_end_ = clock::now() + config.body_limit;
  parser_->eager(true);
  if (expects() && begin_ == end_) {
    error_code fault;
    const transport::part whole{go_on.data(), go_on.size()};
    if (line_.write({&whole, 1}, fault) != go_on.size())
      return close();
  }
  auto length = parser_->content_length();
  if (in_.size() < body_buffer_bytes && (!length || *length > in_.size()))
    in_.resize(body_buffer_bytes); // head_ is not looked at again: asked_ has it
  feed();
}

// Gives what was received to the parser until the body is complete.
void connection::feed() {
  error_code fault;
  while (!parser_->is_done() && begin_ != end_ && !fault) {
    auto used = parser_->read({in_.data() + begin_, end_ - begin_}, fault);
    begin_ += used;
    searched_ = used == 0 ? searched_ : 0;
  }
  if (fault && fault != parse_error::need_more) {
    if (fault == parse_error::body_limit)
      return fail(413, name(ec::too_large), "the body is larger than values may be (64 MiB); nothing was stored");
    if (fault == parse_error::buffer_overflow)
      return fail(503, name(ec::overloaded), "too many large bodies arrive at once; try again");
    return fail(400, "bad-request", "the body cannot be read: " + fault.message() + "; nothing was stored");
  }
  if (parser_->is_done())
    return dispatch();
  if (!rest_may_become_valid())
    return fail(400, "bad-request",
                "a chunk's head or the trailer has a control character, or a line that does not end with CRLF; nothing "
                "was stored");
  if (begin_ == end_)
    begin_ = end_ = 0;
  make_room();
  if (where_ == endpoint::train && asked_.method == "POST" && body_.size() >= piece_bytes)
    return hand_on();
  if (end_ == in_.size())
    return fail(400, "bad-request", "a chunk's head or the trailer is too long; nothing was stored");
  deadline_ = std::min(clock::now() + owner_.parts().config.body_timeout, body_end_);
  read();
}

// What the parser leaves of a body belongs to the head of a chunk or to the trailer. Beast waits there for CRLF, while
// another reader may have found the end of the request at a bare LF.
bool connection::rest_may_become_valid() {
  auto rest = std::string_view{in_.data() + begin_, end_ - begin_};
  auto before = searched_ == 0 ? '\0' : rest[searched_ - 1];
  auto fresh = rest.substr(searched_);
  searched_ = rest.size();
  return !is_broken(fresh, before);
}

// What was written last is sent before the client has sent all: closing at once would make its system throw it away.
void connection::linger() {
  line_.end_writing();
  phase_ = phase::lingering;
  linger_end_ = clock::now() + linger_limit;
  deadline_ = clock::now() + linger_time;
  begin_ = end_ = 0;
  read();
}

} // namespace gnomon::http
