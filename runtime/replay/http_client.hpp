#pragma once

#include "runtime/base/error.hpp"
#include "runtime/base/host_port.hpp"
#include "runtime/tls/credentials.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gnomon::replay {

/// Where a node's HTTP is, and how it is spoken to.
struct api_address : host_port {
  credentials_ptr tls = nullptr; // null: plain HTTP
};
std::string url_of(const api_address& api);

/// Reads "http://HOST:PORT", optionally with a slash at the end. Errors: invalid_argument.
expected<host_port> parse_http_url(std::string_view url);

struct http_request {
  std::string method = "GET"; // GET or PUT
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct http_response {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers; // names in lower case
  std::string body;

  /// The first value of the header; empty when it is not there.
  std::string_view header(std::string_view lower_case_name) const;
};

/// Sends requests to one server over connections that stay open between them. Opens another connection when all are
/// busy. When the server has closed a kept connection meanwhile, the request is sent once more on a new one. Callbacks
/// run in the loop of `io`, never inside `send`. Destroying the client drops requests under way without an answer. Not
/// thread-safe.
class http_client {
public:
  using callback = std::function<void(expected<http_response>)>;

  http_client(boost::asio::io_context& io, api_address server, std::chrono::milliseconds timeout);
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Errors: timeout, peer_gone (connecting or the connection failed), bad_message (the answer is not HTTP).
  void send(const http_request& request, callback answer);

private:
  class pool;
  std::shared_ptr<pool> pool_;
};

} // namespace gnomon::replay
