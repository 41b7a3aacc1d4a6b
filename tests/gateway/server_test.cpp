#define CAF_SUITE server
#include "server_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <thread>

using namespace gnomon;
using namespace gnomon::test;

namespace {

std::string put(const std::string& target, const std::string& body, const std::string& fields = {}) {
  return "PUT " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields
         + "\r\n" + body;
}

const std::string chunked_put = "PUT /data/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

} // namespace

CAF_TEST_FIXTURE_SCOPE(server_tests, server_fixture)

CAF_TEST(what_was_put_is_read_back_over_one_connection) {
  start();
  connection client{port};
  client.send(put("/data/a%20b", "hello", "Content-Type: text/plain\r\n"));
  CAF_CHECK(is(client.read_answer(), 201));
  client.send(put("/data/a%20b", "hello again"));
  CAF_CHECK(is(client.read_answer(), 204));
  client.send("GET /data/a%20b HTTP/1.1\r\nHost: x\r\n\r\n");
  auto answer = client.read_answer();
  CAF_CHECK(is(answer, 200));
  CAF_CHECK(answer.ends_with("\r\n\r\nhello again"));
  CAF_CHECK(is(get("/data/none"), 404));
}

CAF_TEST(reads_of_the_index_do_not_reach_the_router) {
  start();
  publish("news/1", "from the index");
  auto answer = get("/data/news/1?user_id=ann");
  CAF_CHECK(is(answer, 200));
  CAF_CHECK(answer.ends_with("\r\n\r\nfrom the index"));
  CAF_CHECK(has(answer, "\r\nDate: "));
  CAF_CHECK(has(answer, "\r\nGnomon-Copy: local\r\n"));
  CAF_CHECK(get("/data/news%2F1").ends_with("from the index"));
  CAF_CHECK(is(get("/data/news/1", "Range: bytes=0-3\r\n"), 206));
  CAF_CHECK_EQUAL(script->reads.load(), 0);
  CAF_CHECK_EQUAL(node->counters.reads_local.load(), 3u);
}

CAF_TEST(an_index_entry_that_is_not_current_is_not_used) {
  start();
  publish("a", "old", node->time->now() - 1s);
  CAF_CHECK(is(get("/data/a"), 404));
  publish("b", "value");
  node->fresh_until_ms = 0;
  CAF_CHECK(is(get("/data/b"), 404));
  node->fresh_until_ms = INT64_MAX;
  version_vector newer;
  newer.add(dot{holding_id{9, 9}, 1});
  CAF_CHECK(is(get("/data/b", "Gnomon-Context: " + newer.to_text() + "\r\n"), 404));
  CAF_CHECK_EQUAL(script->reads.load(), 3);
}

CAF_TEST(accesses_of_hits_reach_the_agent_counted_by_item_and_user) {
  start();
  publish("a", "value");
  for (auto target : {"/data/a?user_id=ann", "/data/a?user_id=ann", "/data/a"})
    CAF_CHECK(is(get(target), 200));
  uint32_t ann = 0, nobody = 0;
  for (int i = 0; i < 2000 && ann + nobody < 3; ++i) {
    std::this_thread::sleep_for(10ms);
    std::lock_guard lock{script->guard};
    ann = nobody = 0;
    for (const auto& sample : script->samples)
      (sample.user == "ann" ? ann : nobody) += sample.count;
  }
  CAF_CHECK_EQUAL(ann, 2u);
  CAF_CHECK_EQUAL(nobody, 1u);
}

CAF_TEST(of_many_accesses_the_agent_hears_fewer_samples_that_count_for_all) {
  start();
  constexpr int names = 2000;
  for (int i = 0; i < names; ++i)
    publish("item/" + std::to_string(i), "value");
  uint64_t reads = 0;
  connection client{port};
  for (auto until = std::chrono::steady_clock::now() + 3s; std::chrono::steady_clock::now() < until;) {
    std::string all;
    constexpr int at_once = 100;
    for (int i = 0; i < at_once; ++i)
      all += "GET /data/item/" + std::to_string((reads + i) * 7919 % names) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(all);
    for (int i = 0; i < at_once; ++i)
      CAF_REQUIRE(is(client.read_answer(), 200));
    reads += at_once;
  }
  std::this_thread::sleep_for(1s);
  std::lock_guard lock{script->guard};
  uint64_t counted = 0;
  for (const auto& sample : script->samples)
    counted += sample.count;
  CAF_MESSAGE(reads << " reads, " << script->samples.size() << " samples that count " << counted);
  CAF_CHECK(counted > reads / 2 && counted < reads * 3 / 2);
  if (reads > 60'000) // else there was no need
    CAF_CHECK_LESS(script->samples.size(), reads / 2);
}

CAF_TEST(requests_sent_at_once_are_answered_in_order) {
  start();
  publish("hit", "from the index");
  connection client{port};
  std::string hit = "GET /data/hit HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(put("/data/a", "one") + hit + "GET /data/a HTTP/1.1\r\nHost: x\r\n\r\n" + hit + put("/data/b", "two"));
  CAF_CHECK(is(client.read_answer(), 201));
  CAF_CHECK(client.read_answer().ends_with("from the index"));
  CAF_CHECK(client.read_answer().ends_with("one"));
  CAF_CHECK(client.read_answer().ends_with("from the index"));
  CAF_CHECK(is(client.read_answer(), 201));
  CAF_CHECK_EQUAL(stored(), 2u);
}

CAF_TEST(a_request_may_arrive_byte_by_byte) {
  start();
  connection client{port};
  for (char c : put("/data/a", "slow"))
    client.send({&c, 1});
  CAF_CHECK(is(client.read_answer(), 201));
}

CAF_TEST(head_leaves_out_the_value_and_keeps_its_length) {
  start();
  publish("a", "value");
  connection client{port};
  client.send("HEAD /data/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  auto answer = client.read_all();
  CAF_CHECK(is(answer, 200));
  CAF_CHECK(has(answer, "Content-Length: 5\r\n"));
  CAF_CHECK(answer.ends_with("\r\n\r\n"));
}

CAF_TEST(a_large_value_goes_in_and_out_whole) {
  start();
  std::string value(20u << 20, 'v');
  for (size_t i = 0; i < value.size(); i += 4096)
    value[i] = static_cast<char>(i >> 12);
  CAF_CHECK(is(once(put("/data/large", value)), 201));
  CAF_CHECK(get("/data/large").ends_with("\r\n\r\n" + value));
  publish("large", value);
  CAF_CHECK(get("/data/large").ends_with("\r\n\r\n" + value));
}

CAF_TEST(chunked_bodies_are_put_together) {
  start();
  connection client{port};
  client.send(chunked_put + "3;x=y\r\nabc\r\n");
  client.send("2\r\nde\r\n0\r\nTrailer: x\r\n\r\nGET /data/a HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK(is(client.read_answer(), 201));
  CAF_CHECK(client.read_answer().ends_with("\r\n\r\nabcde"));
}

CAF_TEST(an_upload_larger_than_any_body_may_be_goes_to_the_router_in_pieces) {
  limits.max_body_bytes = limits.max_buffered_bytes = 1u << 20;
  start();
  std::string lines;
  for (int k = 0; lines.size() < (6u << 20); ++k)
    lines += "{\"line\": " + std::to_string(k) + "}\n";
  auto head =
      "POST /prefetch/train HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(lines.size()) + "\r\n\r\n";
  connection client{port};
  client.send(head + lines + "GET /data/a HTTP/1.1\r\nHost: x\r\n\r\n");
  auto answer = client.read_answer();
  CAF_CHECK(is(answer, 202));
  CAF_CHECK(has(answer, "Location: /prefetch/train/7\r\n"));
  CAF_CHECK(is(client.read_answer(), 404)); // the connection goes on
  CAF_CHECK(script->uploaded == lines);
  CAF_CHECK_GREATER(script->pieces, 10u);
  CAF_CHECK(script->upload_ended);
}

CAF_TEST(a_body_of_a_question_for_the_jobs_is_no_upload) {
  start();
  connection client{port};
  client.send("GET /prefetch/train HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n" + std::string(600'000, ' '));
  CAF_CHECK(is(client.read_answer(), 503)); // as the fake router answers
  CAF_CHECK_EQUAL(script->pieces, 0u);
}

CAF_TEST(an_upload_that_is_refused_half_way_ends_with_the_reason) {
  start();
  script->pieces = 99; // the first piece is not the one it waits for
  connection client{port};
  client.send("POST /prefetch/train HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
              + std::string(1u << 20, ' '));
  CAF_CHECK(is(client.read_answer(), 503));
}

CAF_TEST(a_chunked_body_that_stops_half_way_stores_nothing) {
  limits.body_timeout = 200ms;
  start();
  connection patient{port};
  patient.send(chunked_put + "5\r\nab");
  auto answer = patient.read_all();
  CAF_CHECK(is(answer, 408));
  CAF_CHECK(has(answer, "nothing was stored"));
  connection gone{port};
  gone.send(chunked_put + "5\r\nab");
  gone.half_close();
  CAF_CHECK_EQUAL(gone.read_all(), "");
  CAF_CHECK_EQUAL(stored(), 0u);
}

CAF_TEST(a_chunked_body_that_cannot_be_read_stores_nothing) {
  start();
  CAF_CHECK(is(once(chunked_put + "zz\r\n"), 400));
  CAF_CHECK(is(once(chunked_put + std::string(200'000, '1')), 400));
  CAF_CHECK_EQUAL(stored(), 0u);
}

CAF_TEST(a_body_over_the_limit_is_refused_without_reading_it) {
  start();
  std::string head = "PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: 68157440\r\n";
  connection asking{port};
  asking.send(head + "Expect: 100-continue\r\n\r\n");
  CAF_CHECK(is(asking.read_answer(), 413));
  connection pushing{port};
  pushing.send(head + "\r\n");
  pushing.send(std::string(65u << 20, 'x'));
  CAF_CHECK(is(pushing.read_all(), 413));
  connection chunks{port};
  chunks.send(chunked_put + "4100001\r\n");
  CAF_CHECK(is(chunks.read_answer(), 413));
  CAF_CHECK_EQUAL(stored(), 0u);
}

CAF_TEST(a_client_that_goes_on_sending_for_long_still_hears_the_refusal) {
  start();
  connection pushing{port};
  pushing.send("PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: 68157440\r\n\r\n");
  for (int i = 0; i < 30; ++i) {
    CAF_CHECK(pushing.send(std::string(1024, 'x')));
    std::this_thread::sleep_for(100ms);
  }
  CAF_CHECK(is(pushing.read_all(), 413));
}

CAF_TEST(a_client_that_asks_before_sending_is_told_to_go_on) {
  start();
  connection client{port};
  client.send("PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CAF_CHECK_EQUAL(client.read_answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  CAF_CHECK(is(client.read_answer(), 201));
  CAF_CHECK(is(get("/data/a", "Expect: miracles\r\n"), 417));
}

CAF_TEST(bodies_under_way_share_one_bound) {
  limits.max_buffered_bytes = 100'000;
  start();
  CAF_CHECK(is(once(put("/data/a", std::string(100'001, 'x'))), 503));
  // With the answer, the room that its request took is free again, for all threads.
  for (int i = 0; i < 100; ++i)
    CAF_CHECK(is(once(put("/data/" + std::to_string(i), std::string(90'000, 'x'))), 201));
}

CAF_TEST(heads_that_are_too_long_or_broken_are_refused) {
  start();
  CAF_CHECK(is(get("/data/" + std::string(10'240, 'x')), 414));
  CAF_CHECK(is(get("/data/" + std::string(17'000, 'x')), 414));
  CAF_CHECK(is(get("/data/a", "X: " + std::string(17'000, 'x') + "\r\n"), 431));
  CAF_CHECK(is(get("/data/a%00b"), 400));
  CAF_CHECK(is(once("GET /data/a HTTP/1.1\r\n\r\n"), 400));
  CAF_CHECK(is(once("GET /data/a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), 400));
  CAF_CHECK(is(once("GET /data/a HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"), 400));
  CAF_CHECK(is(once("GET /data/a HTTP/2.0\r\nHost: x\r\n\r\n"), 505));
  CAF_CHECK(is(once("nonsense\r\n\r\n"), 400));
  CAF_CHECK(is(once("PUT /data/a HTTP/1.1\r\nHost: x\r\n\r\n"), 400));
  CAF_CHECK(is(once("PUT /data/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 501));
  CAF_CHECK(
      is(once("PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 400));
  CAF_CHECK(is(once("PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"), 400));
  CAF_CHECK(is(once("PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\n"), 400));
}

CAF_TEST(http_1_0_closes_unless_it_asks_not_to) {
  start();
  publish("a", "value");
  connection closing{port};
  closing.send("GET /data/a HTTP/1.0\r\n\r\n");
  CAF_CHECK(has(closing.read_all(), "Connection: close\r\n"));
  connection keeping{port};
  keeping.send("GET /data/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CAF_CHECK(has(keeping.read_answer(), "Connection: keep-alive\r\n"));
}

CAF_TEST(a_head_that_stops_half_way_ends_in_time) {
  limits.head_timeout = 100ms;
  start();
  connection slow{port};
  slow.send("GET /data/a HT");
  CAF_CHECK(is(slow.read_all(), 408));
}

CAF_TEST(an_idle_connection_ends_in_time) {
  limits.idle_timeout = 100ms;
  start();
  connection idle{port};
  CAF_CHECK_EQUAL(idle.read_all(), "");
}

CAF_TEST(a_router_that_does_not_answer_is_a_gateway_timeout) {
  node->config.request_timeout = 100ms;
  script->silent = true;
  start();
  CAF_CHECK(is(get("/data/a"), 504));
  CAF_CHECK(is(get("/health/live"), 200));
}

CAF_TEST(a_router_that_dies_makes_the_request_fail_and_not_the_server) {
  start();
  CAF_CHECK(is(get("/policy"), 503)); // the fake router throws
  CAF_CHECK(is(get("/cluster"), 503));
  CAF_CHECK(is(get("/health/live"), 200));
}

CAF_TEST(more_connections_than_the_bound_are_turned_away) {
  limits.max_connections = 2;
  start();
  connection first{port}, second{port};
  first.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK(is(first.read_answer(), 200));
  second.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK(is(second.read_answer(), 200));
  connection third{port};
  CAF_CHECK(is(third.read_all(), 503));
}

CAF_TEST(more_connections_of_one_address_than_its_bound_are_turned_away) {
  limits.max_connections_each = 1;
  start();
  connection first{port}, second{port};
  first.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK(is(first.read_answer(), 200));
  CAF_CHECK(is(second.read_all(), 503));
}

CAF_TEST(a_request_under_way_ends_before_the_server_stops) {
  start();
  connection idle{port}, busy{port};
  busy.send("PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  CAF_CHECK_EQUAL(busy.read_answer(), "HTTP/1.1 100 Continue\r\n\r\n"); // the server has begun with it
  busy.send("ab");
  std::thread stopping{[this] { server->stop(); }};
  CAF_CHECK_EQUAL(idle.read_all(), "");
  busy.send("cd");
  auto answer = busy.read_all();
  stopping.join();
  CAF_CHECK(is(answer, 201));
  CAF_CHECK(has(answer, "Connection: close"));
  CAF_CHECK(!connection{port}.open());
}

CAF_TEST(a_stop_does_not_wait_for_ever) {
  limits.drain_timeout = 100ms;
  node->config.request_timeout = 1h; // longer than any test may take
  script->silent = true;
  start();
  connection waiting{port};
  waiting.send("GET /data/a HTTP/1.1\r\nHost: x\r\n\r\n");
  while (script->reads == 0)
    std::this_thread::sleep_for(1ms);
  server->stop();
  CAF_CHECK_EQUAL(waiting.read_all(), "");
}

CAF_TEST(an_address_that_cannot_be_listened_at_is_named) {
  start();
  http_config other;
  other.port = port;
  auto taken = http_server{node, system, other}.start();
  CAF_CHECK(!taken);
  CAF_CHECK(has(sentence_of(taken.error()), "127.0.0.1:" + std::to_string(port)));
  other.host = "nowhere.invalid";
  auto nowhere = http_server{node, system, other}.start();
  CAF_CHECK_EQUAL(code_of(nowhere.error()), ec::bad_config);
}

CAF_TEST(the_node_s_own_pages_need_no_router) {
  start();
  publish("a", "value");
  get("/data/a");
  CAF_CHECK(is(get("/health/live"), 200));
  auto ready = get("/health/ready");
  CAF_CHECK(is(ready, 503));
  CAF_CHECK(has(ready, "stores"));
  auto metrics = get("/metrics");
  CAF_CHECK(has(metrics, "gnomon_reads_local_total 1"));
  CAF_CHECK(has(metrics, "gnomon_http_requests_total{route=\"/data/{id}\",status=\"2xx\"} 1"));
  for (auto part : {"shadows", "index", "catalog", "filter", "comparison", "prediction", "store", "dns", "http"})
    CAF_CHECK(has(metrics, "gnomon_memory_bytes{part=\"" + std::string{part} + "\"} "));
  CAF_CHECK(has(metrics, "process_resident_memory_bytes "));
  CAF_CHECK(has(get("/openapi.json"), "\"openapi\": \"3.1.0\""));
}

CAF_TEST_FIXTURE_SCOPE_END()
