#include "runtime/replay/http_client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <optional>

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
  pool(asio::io_context& io, host_port server, std::chrono::milliseconds timeout)
      : io(io), server(std::move(server)), timeout(timeout) {}

  struct exchange;
  void begin(const std::shared_ptr<exchange>& work);
  void end(exchange& work, expected<http_response> answer);

  asio::io_context& io;
  host_port server;
  std::chrono::milliseconds timeout;
  std::vector<std::unique_ptr<beast::tcp_stream>> idle;
  bool closed = false;
};

/// One request on its way: connect when needed, write, read. Holds itself alive through its handlers.
struct http_client::pool::exchange : std::enable_shared_from_this<exchange> {
  exchange(std::shared_ptr<pool> owner, http_request request, callback answer)
      : owner(std::move(owner)), answer(std::move(answer)), request(wire_form(request, this->owner->server)) {}

  void connect() {
    reused = false;
    stream = std::make_unique<beast::tcp_stream>(owner->io);
    stream->expires_after(owner->timeout);
    error_code unreadable;
    auto address = asio::ip::make_address(owner->server.host, unreadable);
    if (!unreadable)
      return stream->async_connect(tcp::endpoint{address, owner->server.port},
                                   [self = shared_from_this()](error_code failure) { self->connected(failure); });
    auto resolver = std::make_shared<tcp::resolver>(owner->io);
    resolver->async_resolve(
        owner->server.host, std::to_string(owner->server.port),
        [self = shared_from_this(), resolver](error_code failure, const tcp::resolver::results_type& found) {
          if (failure)
            return self->fail("find", failure);
          self->stream->async_connect(found,
                                      [self](error_code failure, const tcp::endpoint&) { self->connected(failure); });
        });
  }

  void connected(error_code failure) {
    if (failure)
      return fail("connect to", failure);
    error_code ignored;
    stream->socket().set_option(tcp::no_delay{true}, ignored);
    write();
  }

  void write() {
    stream->expires_after(owner->timeout);
    http::async_write(*stream, request, [self = shared_from_this()](error_code failure, size_t) {
      if (failure)
        return self->broken(failure);
      self->read();
    });
  }

  void read() {
    parser.emplace();
    parser->body_limit(max_body_bytes);
    http::async_read(*stream, buffer, *parser, [self = shared_from_this()](error_code failure, size_t) {
      if (failure)
        return self->broken(failure);
      self->finish();
    });
  }

  /// A kept connection may have been closed by the server just before this request: that is no answer, so ask again.
  void broken(error_code failure) {
    if (!reused || failure == beast::error::timeout || (parser && parser->got_some()))
      return fail("get an answer from", failure);
    buffer.clear();
    parser.reset();
    connect();
  }

  void fail(std::string_view what, error_code failure) {
    auto code = failure == beast::error::timeout ? ec::timeout : ec::peer_gone;
    if (failure.category() == http::make_error_code(http::error::bad_version).category()
        && failure != http::error::end_of_stream)
      code = ec::bad_message;
    owner->end(*this, make_error(code, "cannot " + std::string{what} + " http://" + to_string(owner->server) + ": "
                                           + failure.message()));
  }

  void finish() {
    auto keep = parser->keep_alive();
    stream->expires_never();
    auto response = plain_form(parser->release());
    if (keep && !owner->closed)
      owner->idle.push_back(std::move(stream));
    owner->end(*this, std::move(response));
  }

  std::shared_ptr<pool> owner;
  callback answer;
  http::request<http::string_body> request;
  std::unique_ptr<beast::tcp_stream> stream;
  beast::flat_buffer buffer;
  std::optional<http::response_parser<http::string_body>> parser;
  bool reused = false;
};

void http_client::pool::begin(const std::shared_ptr<exchange>& work) {
  if (idle.empty())
    return work->connect();
  work->stream = std::move(idle.back());
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

http_client::http_client(asio::io_context& io, host_port server, std::chrono::milliseconds timeout)
    : pool_(std::make_shared<pool>(io, std::move(server), timeout)) {}

http_client::~http_client() {
  pool_->closed = true;
  pool_->idle.clear();
}

void http_client::send(http_request request, callback answer) {
  auto work = std::make_shared<pool::exchange>(pool_, std::move(request), std::move(answer));
  pool_->begin(work);
}

std::string_view http_response::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name)
      return value;
  return {};
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
