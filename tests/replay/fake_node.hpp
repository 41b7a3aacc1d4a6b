#pragma once

#include "runtime/replay/event_loop.hpp"
#include "runtime/replay/http_client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// An HTTP server in the test's own loop that stores items and answers as it is told.
class fake_node {
public:
  using request = boost::beast::http::request<boost::beast::http::string_body>;
  using response = boost::beast::http::response<boost::beast::http::string_body>;

  explicit fake_node(gnomon::replay::event_loop& loop)
      : io_(loop.io()), acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {
    accept();
  }

  gnomon::replay::api_address api() const {
    return {{"127.0.0.1", acceptor_.local_endpoint().port()}};
  }

  std::chrono::milliseconds delay{0}; // before each answer
  std::string copy = "local";         // Gnomon-Copy of each answer
  bool close_each = false;            // end the connection after each answer, without saying so before
  std::function<void(const request&, response&)> tamper; // changes an answer before it goes out
  std::map<std::string, std::string> items;              // by target without query
  std::map<std::string, std::string> pages;              // other GETs
  std::vector<std::string> targets;                      // in order of arrival
  std::vector<std::string> contexts;                     // of updates, in order of arrival; each answer has a new one
  size_t open = 0, open_most = 0, connections = 0;

private:
  struct session : std::enable_shared_from_this<session> {
    session(fake_node& node, boost::asio::ip::tcp::socket socket)
        : node(node), stream(std::move(socket)), timer(stream.get_executor()) {}
    void read() {
      asked = {};
      boost::beast::http::async_read(stream, buffer, asked, [self = shared_from_this()](auto failure, size_t) {
        if (!failure)
          self->wait();
      });
    }
    void wait() {
      node.targets.emplace_back(asked.target());
      node.open_most = std::max(node.open_most, ++node.open);
      timer.expires_after(node.delay);
      timer.async_wait([self = shared_from_this()](auto failure) {
        if (!failure)
          self->write();
      });
    }
    void write() {
      --node.open;
      answer = node.answer_to(asked);
      answer.prepare_payload();
      boost::beast::http::async_write(stream, answer, [self = shared_from_this()](auto failure, size_t) {
        if (!failure && !self->node.close_each)
          self->read();
      });
    }
    fake_node& node;
    boost::beast::tcp_stream stream;
    boost::asio::steady_timer timer;
    boost::beast::flat_buffer buffer;
    request asked;
    response answer;
  };

  response answer_to(const request& asked) {
    namespace http = boost::beast::http;
    response result{http::status::ok, 11};
    std::string target{asked.target()};
    target = target.substr(0, target.find('?'));
    if (asked.method() == http::verb::put && asked.count("Gnomon-Context") > 0) {
      contexts.emplace_back(asked["Gnomon-Context"]);
      result.result(http::status::no_content);
    } else if (asked.method() == http::verb::put) {
      result.result(items.emplace(target, asked.body()).second ? http::status::created
                                                               : http::status::precondition_failed);
    } else if (pages.contains(target))
      result.body() = pages[target];
    else if (items.contains(target))
      result.body() = items[target];
    else
      result.result(http::status::not_found);
    result.set("Gnomon-Copy", copy);
    if (asked.method() == http::verb::put)
      result.set("Gnomon-Context", std::to_string(contexts.size()));
    if (tamper)
      tamper(asked, result);
    return result;
  }

  void accept() {
    acceptor_.async_accept([this](auto failure, boost::asio::ip::tcp::socket socket) {
      if (failure)
        return;
      ++connections;
      std::make_shared<session>(*this, std::move(socket))->read();
      accept();
    });
  }

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
};
