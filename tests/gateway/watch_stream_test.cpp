#define CAF_SUITE watch_stream
#include "server_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <boost/asio.hpp>

#include <thread>

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : server_fixture {
  void happens(std::string kind, std::string position, std::string value = {}) {
    change what;
    what.kind = std::move(kind);
    what.id = "news/1";
    what.etag = "\"1\"";
    what.position = std::move(position);
    what.has_value = !value.empty();
    what.value = std::move(value);
    std::lock_guard lock{script->guard};
    script->changes.push_back(what);
  }
  /// What arrives until `end` does.
  std::string stream(const std::string& head, const std::string& end) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket{io};
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
    boost::asio::write(socket, boost::asio::buffer(head));
    std::string text;
    boost::system::error_code fault;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(text), end, fault);
    return text;
  }
  std::vector<follow_changes> followed() {
    std::lock_guard lock{script->guard};
    return script->followed;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(watch_stream_tests, fixture)

CAF_TEST(changes_come_as_events_one_after_the_other) {
  start();
  happens("present", "1-1", "hello");
  happens("written", "1-2");
  auto text =
      stream("GET /watch?data_id=news%2F1&values=true HTTP/1.1\r\nHost: x\r\n\r\n", "1-2\nevent: written\ndata: {");
  CAF_CHECK(is(text, 200));
  CAF_CHECK(has(text, "\r\nContent-Type: text/event-stream\r\n"));
  CAF_CHECK(has(text, "\r\nTransfer-Encoding: chunked\r\n"));
  CAF_CHECK(has(text, "\r\nCache-Control: no-store\r\n"));
  CAF_CHECK(!has(text, "Content-Length"));
  CAF_CHECK(has(text, "id: 1-1\nevent: present\ndata: {\"event\":\"present\",\"id\":\"news/1\""));
  CAF_CHECK(has(text, "\"value\":\"aGVsbG8=\"}\n\n"));
  auto asked = followed();
  CAF_REQUIRE(asked.size() >= 2);
  CAF_CHECK(asked[0].scope == follow_scope::item);
  CAF_CHECK_EQUAL(asked[0].name, "news/1");
  CAF_CHECK(asked[0].present && asked[0].values && asked[0].after.empty());
  CAF_CHECK_EQUAL(asked[1].after, "1-1");
}

CAF_TEST(a_client_that_connects_again_says_how_far_it_is) {
  start();
  happens("written", "1-8");
  stream("GET /watch?prefix=news/&after=1-2&present=false HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 1-7\r\n\r\n", "1-8");
  auto asked = followed();
  CAF_REQUIRE(!asked.empty());
  CAF_CHECK(asked[0].scope == follow_scope::prefix);
  CAF_CHECK_EQUAL(asked[0].after, "1-7");
  CAF_CHECK(!asked[0].present);
}

CAF_TEST(to_a_client_of_http_1_0_the_stream_is_not_chunked) {
  start();
  happens("node-up", "1-1");
  auto text = stream("GET /watch?cluster=true HTTP/1.0\r\n\r\n", "data: {");
  CAF_CHECK(!has(text, "chunked"));
  CAF_CHECK(has(text, "\r\n\r\nid: 1-1\nevent: node-up\n"));
}

CAF_TEST(what_cannot_be_watched_is_refused) {
  start();
  for (const auto* query : {"", "id=a&data_id=a", "id=a&prefix=b", "data_id=a&prefix=b", "data_id=", "cluster=maybe",
                            "data_id=a&values=1", "cluster=false"})
    CAF_CHECK(is(get("/watch?" + std::string{query}), 400));
  CAF_CHECK(is(once("PUT /watch HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), 405));
}

CAF_TEST(the_server_stops_with_streams_open) {
  start();
  happens("written", "1-1");
  std::string text;
  std::thread client{[&] { text = stream("GET /watch?id=a HTTP/1.1\r\nHost: x\r\n\r\n", "never"); }};
  while (followed().size() < 2)
    std::this_thread::sleep_for(5ms);
  server.reset();
  client.join();
  CAF_CHECK(has(text, "id: 1-1\n"));
}

CAF_TEST_FIXTURE_SCOPE_END()
