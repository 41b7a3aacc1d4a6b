#pragma once

#include "tests/wan/network.hpp"

#include <utility> // which Boost's awaitable forgets

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/verb.hpp>

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gnomon::wan {

/// An answer; `status` 0 when there was none in time.
struct reply {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> fields; // names in lower case
};

struct request {
  boost::beast::http::verb method = boost::beast::http::verb::get;
  std::string target;
  std::string body = {};
  std::map<std::string, std::string> fields = {};
  std::chrono::milliseconds timeout{15'000};
};

/// The applications of one region: talks HTTP to the region's node from inside its network place, over connections that
/// are kept. Everything runs on one thread of its own.
class region_client {
public:
  region_client(const network& net, size_t place, uint16_t port);
  /// Ends what is under way without an answer.
  ~region_client();

  /// From a coroutine of this client.
  boost::asio::awaitable<reply> ask(request what);
  /// Runs a coroutine on this client's thread; the future is ready when it has ended.
  std::future<void> run(std::function<boost::asio::awaitable<void>()> work);
  /// From any other thread; blocks.
  reply ask_and_wait(request what);
  boost::asio::io_context& context() {
    return io_;
  }
  size_t place() const {
    return place_;
  }

private:
  using stream = std::unique_ptr<boost::beast::tcp_stream>;

  size_t place_;
  uint16_t port_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<stream> idle_;
  std::thread thread_;
};

} // namespace gnomon::wan
