#include "tests/wan/region_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

namespace gnomon::wan {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

constexpr uint64_t max_body = 64u << 20;
constexpr size_t max_idle = 512; // connections kept

http::request<http::string_body> to_message(request& what) {
  http::request<http::string_body> message{what.method, what.target, 11};
  message.set(http::field::host, "region");
  for (const auto& [name, value] : what.fields)
    message.set(name, value);
  message.body() = std::move(what.body);
  message.prepare_payload();
  return message;
}

reply from_message(http::response<http::string_body> message) {
  reply got{static_cast<int>(message.result_int()), std::move(message.body()), {}};
  for (const auto& field : message) {
    std::string name{field.name_string()};
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    got.fields[name] = std::string{field.value()};
  }
  return got;
}

/// The node closes connections that were not used for a while.
bool is_open(beast::tcp_stream& kept) {
  char byte;
  return ::recv(kept.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0
         && (errno == EAGAIN || errno == EWOULDBLOCK);
}

} // namespace

region_client::region_client(const network& net, size_t place, uint16_t port)
    : place_(place), port_(port), work_(io_.get_executor()) {
  std::promise<bool> inside;
  auto entered = inside.get_future();
  thread_ = std::thread{[this, &net, told = std::move(inside)]() mutable {
    auto good = net.enter(place_); // sockets belong to the place of the thread that makes them
    told.set_value(good);
    if (good)
      io_.run();
  }};
  if (!entered.get())
    throw std::runtime_error("a client cannot enter its network namespace");
}

region_client::~region_client() {
  io_.stop();
  thread_.join();
}

asio::awaitable<reply> region_client::ask(request what) {
  stream to;
  for (; !idle_.empty() && !to; idle_.pop_back())
    if (is_open(*idle_.back()))
      to = std::move(idle_.back());
  try {
    if (!to) {
      to = std::make_unique<beast::tcp_stream>(io_);
      to->expires_after(what.timeout);
      co_await to->async_connect(tcp::endpoint{asio::ip::address_v4::loopback(), port_}, use_awaitable);
      to->socket().set_option(tcp::no_delay{true});
    }
    to->expires_after(what.timeout);
    auto message = to_message(what);
    co_await http::async_write(*to, message, use_awaitable);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(max_body);
    parser.skip(what.method == http::verb::head);
    co_await http::async_read(*to, buffer, parser, use_awaitable);
    to->expires_never();
    if (parser.get().keep_alive() && idle_.size() < max_idle)
      idle_.push_back(std::move(to));
    co_return from_message(parser.release());
  } catch (const boost::system::system_error&) {
    co_return reply{};
  }
}

std::future<void> region_client::run(std::function<asio::awaitable<void>()> work) {
  auto done = std::make_shared<std::promise<void>>();
  auto ended = done->get_future();
  // The function that made a coroutine holds what the coroutine captured: it has to live as long.
  auto kept = std::make_shared<std::function<asio::awaitable<void>()>>(std::move(work));
  asio::co_spawn(io_, (*kept)(), [kept, done](std::exception_ptr thrown) {
    if (thrown)
      done->set_exception(thrown);
    else
      done->set_value();
  });
  return ended;
}

reply region_client::ask_and_wait(request what) {
  reply got;
  run([this, &got, &what]() -> asio::awaitable<void> { got = co_await ask(std::move(what)); }).get();
  return got;
}

} // namespace gnomon::wan
