#include "runtime/replay/http_client.hpp"

#include "runtime/tls/transport.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <sstream>

namespace gnomon::replay {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr uint64_t max_body_bytes = 128u << 20;

class connection;

http::request<http::string_body> wire_form(const http_request& request, const host_port& server) {
  auto verb = request.method == "PUT" ? http::verb::put : http::verb::get;
  http::request<http::string_body> result{verb, request.target, 11};
  result.set(http::field::host, to_string(server));
  for (const auto& [name, value] : request.headers)
    result.set(name, value);
  result.body() = request.body;
  if (verb == http::verb::put)
    result.prepare_payload();
  return result;
}

http_response plain_form(http::response<http::string_body>&& response) {
  http_response result;
  result.status = response.result_int();
  for (const auto& field : response) {
    std::string name{field.name_string().data(), field.name_string().size()};
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    result.headers.emplace_back(std::move(name), std::string{field.value().data(), field.value().size()});
  }
  result.body = std::move(response.body());
  return result;
}

} // namespace

/// What outlives single requests: the address and the connections that wait for work.
class http_client::pool : public std::enable_shared_from_this<http_client::pool> {
public:
  pool(asio::io_context& io, api_address server, std::chrono::milliseconds timeout)
      : io(io), server(std::move(server)), timeout(timeout) {}

  struct exchange;
  void begin(const std::shared_ptr<exchange>& work);
  void end(exchange& work, expected<http_response> answer);

  asio::io_context& io;
  api_address server;
  std::chrono::milliseconds timeout;
  std::vector<std::unique_ptr<transport>> idle;
  bool closed = false;
};

/// One request on its way: connect when needed, write, read. Holds itself alive through its handlers.
struct http_client::pool::exchange : std::enable_shared_from_this<exchange> {
  exchange(std::shared_ptr<pool> owner, const http_request& request, callback answer)
      : owner(std::move(owner)), answer(std::move(answer)), timer(this->owner->io), socket(this->owner->io) {
    std::ostringstream text;
    text << wire_form(request, this->owner->server);
    bytes = text.str();
  }

  /// The bound holds for each step anew.
  void expect() {
    timer.expires_after(owner->timeout);
    timer.async_wait([self = shared_from_this()](error_code stopped) {
      if (stopped)
        return;
      self->timed_out = true;
      error_code ignored;
      self->socket.close(ignored);
      if (self->line)
        self->line->close();
    });
  }

  void connect() {
    reused = false;
    line.reset();
    socket = tcp::socket{owner->io};
    expect();
    error_code unreadable;
    auto address = asio::ip::make_address(owner->server.host, unreadable);
    if (!unreadable)
      return socket.async_connect(tcp::endpoint{address, owner->server.port},
                                  [self = shared_from_this()](error_code failure) { self->connected(failure); });
    auto resolver = std::make_shared<tcp::resolver>(owner->io);
    resolver->async_resolve(
        owner->server.host, std::to_string(owner->server.port),
        [self = shared_from_this(), resolver](error_code failure, const tcp::resolver::results_type& found) {
          if (failure)
            return self->fail("find", failure);
          asio::async_connect(self->socket, found,
                              [self](error_code failure, const tcp::endpoint&) { self->connected(failure); });
        });
  }

  void connected(error_code failure) {
    if (failure)
      return fail("connect to", failure);
    line = std::make_unique<transport>(std::move(socket));
    if (!owner->server.tls)
      return write();
    line->shake_hands(owner->server.tls, owner->server.host, [self = shared_from_this()](error_code failure) {
      failure ? self->fail("speak TLS with", failure) : self->write();
    });
  }

  void write() {
    expect();
    sent = 0;
    go_on_writing();
  }

  void go_on_writing() {
    error_code failure;
    while (!failure && sent < bytes.size()) {
      const transport::part rest{bytes.data() + sent, bytes.size() - sent};
      sent += line->write({&rest, 1}, failure);
    }
    if (failure == asio::error::would_block)
      return line->wait_writable(
          [self = shared_from_this()](error_code failure) { failure ? self->broken(failure) : self->go_on_writing(); });
    if (failure)
      return asio::post(owner->io, [self = shared_from_this(), failure] { self->broken(failure); });
    parser.emplace();
    parser->body_limit(max_body_bytes);
    parser->eager(true);
    filled = 0;
    expect();
    read();
  }

  void read() {
    if (filled == room.size())
      room.resize(room.size() * 2); // of a head
    line->read(room.data() + filled, room.size() - filled,
               [self = shared_from_this()](error_code failure, size_t count) { self->take(failure, count); });
  }

  void take(error_code failure, size_t count) {
    if (failure == asio::error::eof && parser->got_some()) {
      parser->put_eof(failure = {});
      return failure ? broken(failure) : finish();
    }
    if (failure)
      return broken(failure);
    filled += count;
    size_t used = 0;
    while (!failure && !parser->is_done() && used < filled)
      used += parser->put(asio::buffer(room.data() + used, filled - used), failure);
    filled -= used;
    std::memmove(room.data(), room.data() + used, filled);
    if (failure && failure != http::error::need_more)
      return broken(failure);
    parser->is_done() ? finish() : read();
  }

  /// A kept connection may have been closed by the server just before this request: that is no answer, so ask again.
  void broken(error_code failure) {
    if (!reused || timed_out || (parser && parser->got_some()))
      return fail("get an answer from", failure);
    parser.reset();
    connect();
  }

  void fail(std::string_view what, error_code failure) {
    timer.cancel();
    auto code = timed_out ? ec::timeout : ec::peer_gone;
    if (failure.category() == http::make_error_code(http::error::bad_version).category()
        && failure != http::error::end_of_stream)
      code = ec::bad_message;
    auto why = timed_out ? "it took too long" : line ? line->explain(failure) : failure.message();
    owner->end(*this, make_error(code, "cannot " + std::string{what} + " " + url_of(owner->server) + ": " + why));
  }

  void finish() {
    timer.cancel();
    auto keep = parser->keep_alive();
    auto response = plain_form(parser->release());
    if (keep && !owner->closed)
      owner->idle.push_back(std::move(line));
    owner->end(*this, std::move(response));
  }

  std::shared_ptr<pool> owner;
  callback answer;
  asio::steady_timer timer;
  tcp::socket socket; // until it is connected
  std::unique_ptr<transport> line;
  std::string bytes; // of the request
  size_t sent = 0;
  std::vector<char> room = std::vector<char>(16u << 10);
  size_t filled = 0;
  std::optional<http::response_parser<http::string_body>> parser;
  bool reused = false;
  bool timed_out = false;
};

void http_client::pool::begin(const std::shared_ptr<exchange>& work) {
  if (idle.empty())
    return work->connect();
  work->line = std::move(idle.back());
  idle.pop_back();
  work->reused = true;
  work->write();
}

void http_client::pool::end(exchange& work, expected<http_response> answer) {
  if (closed || !work.answer)
    return;
  auto callback = std::move(work.answer);
  work.answer = nullptr;
  callback(std::move(answer));
}

http_client::http_client(asio::io_context& io, api_address server, std::chrono::milliseconds timeout)
    : pool_(std::make_shared<pool>(io, std::move(server), timeout)) {}

http_client::~http_client() {
  pool_->closed = true;
  pool_->idle.clear();
}

void http_client::send(const http_request& request, callback answer) {
  auto work = std::make_shared<pool::exchange>(pool_, request, std::move(answer));
  pool_->begin(work);
}

std::string_view http_response::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name)
      return value;
  return {};
}

std::string url_of(const api_address& api) {
  return (api.tls ? "https://" : "http://") + to_string(api);
}

expected<host_port> parse_http_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  auto rest = url;
  rest.remove_prefix(rest.starts_with(scheme) ? scheme.size() : rest.size());
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  auto server = parse_host_port(rest);
  if (!server || server->port == 0)
    return make_error(ec::invalid_argument, "\"" + std::string{url} + "\" is not like http://127.0.0.1:7001");
  return std::move(*server);
}

} // namespace gnomon::replay
