// The HTTP server in TLS, with tokens, certificates of clients and proxies in front.
#define CAF_SUITE https
#include "runtime/access/token.hpp"
#include "runtime/gateway/http_server.hpp"

#include "server_fixture.hpp"
#include "tests/net/eventually.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/https.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct https_fixture : server_fixture {
  https_fixture() {
    limits.security.credentials = server_of(authority.files_for_http({"n1", bearer::node, {"127.0.0.1"}}));
  }
  static credentials_ptr server_of(const credential_files& files) {
    auto loaded = credentials::of_http_server(files);
    if (!loaded)
      throw std::runtime_error(sentence_of(loaded.error()));
    return *loaded;
  }
  http_answer ask(const std::string& method, const std::string& target, const std::string& body = {},
                  const std::string& fields = {}, const tls_client::manner& how = {}) {
    return https(port, method, target, body, fields, how);
  }
  /// A token that the node knows; the field that shows it.
  std::string add_token(const std::string& name, role may, std::vector<std::string> types = {},
                        timestamp expires = timestamp::max()) {
    const auto made = make_token();
    token_record record{made.id, name, may, std::move(types), made.hash, wall_time(), expires};
    node->tokens.update([&](token_table& table) { table.merge(record); });
    return "Authorization: Bearer " + made.text + "\r\n";
  }
  void revoke(const std::string& name) {
    node->tokens.update([&](token_table& table) {
      for (auto record : table.named(name, wall_time())) {
        record.revoked = true;
        table.merge(record);
      }
    });
  }
  /// Up to the end of the fields.
  static std::string head_from(tls_client& client) {
    std::string got;
    for (size_t i = 0; i < 4096 && !got.ends_with("\r\n\r\n"); ++i)
      got += client.receive(1);
    return got;
  }
  tls_client::manner showing(const credential_files& files) const {
    return {.shows = files};
  }

  test_authority authority;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(https_tests, https_fixture)

CAF_TEST(items_are_written_and_read_in_both_versions_of_TLS) {
  start();
  const std::string large(3u << 20, 'x'); // many records
  for (auto version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const tls_client::manner how{.version = version};
    CAF_CHECK_EQUAL(ask("PUT", "/data/a", "small", {}, how).status / 100, 2);
    CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, {}, how).body, "small");
    CAF_CHECK_EQUAL(ask("PUT", "/data/b", large, {}, how).status / 100, 2);
    CAF_CHECK(ask("GET", "/data/b", {}, {}, how).body == large);
  }
  CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, {}, {.version = TLS1_1_VERSION}).status, 0);
}

CAF_TEST(answers_from_the_index_arrive_whole_on_a_connection_that_is_kept) {
  start();
  const std::string large(1u << 20, 'y');
  publish("small", "value");
  publish("large", large);
  tls_client client{port, {}};
  CAF_REQUIRE(client.shake_hands());
  for (int i = 0; i < 20; ++i) {
    CAF_REQUIRE(client.send("GET /data/small HTTP/1.1\r\nHost: x\r\n\r\nGET /data/large HTTP/1.1\r\nHost: x\r\n\r\n"));
    CAF_CHECK(head_from(client).starts_with("HTTP/1.1 200"));
    CAF_CHECK_EQUAL(client.receive(5), "value");
    CAF_CHECK(head_from(client).starts_with("HTTP/1.1 200"));
    CAF_CHECK(client.receive(large.size()) == large);
  }
}

CAF_TEST(plain_HTTP_gets_no_answer_where_TLS_is_spoken) {
  start();
  connection client{port};
  client.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK(!has(client.read_all(), "HTTP/1.1"));
  CAF_CHECK(has(ask("GET", "/metrics").body, "gnomon_http_failed_openings_total 1"));
}

CAF_TEST(connections_that_stop_in_the_middle_of_a_handshake_are_closed) {
  limits.head_timeout = 200ms;
  start();
  connection client{port};
  client.send("\x16\x03\x01");
  client.read_all(); // ends
  connection silent{port};
  silent.read_all();
  CAF_CHECK(eventually([&] { return has(ask("GET", "/metrics").body, "gnomon_http_connections 1\n"); }));
}

CAF_TEST(a_client_that_speaks_only_other_protocols_is_refused) {
  start();
  tls_client client{port, {.protocols = std::string{"\x02h2", 3}}};
  CAF_CHECK(!client.shake_hands());
  tls_client both{port, {.protocols = std::string{"\x02h2\x08http/1.1", 12}}};
  CAF_CHECK(both.shake_hands());
}

CAF_TEST(new_certificates_hold_for_new_connections_and_old_ones_go_on) {
  start();
  tls_client old{port, {}};
  CAF_REQUIRE(old.shake_hands());
  auto security = limits.security;
  security.credentials = server_of(authority.files_for_http({"n2", bearer::node, {"127.0.0.1"}}));
  server->secure(security);
  CAF_REQUIRE(old.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"));
  CAF_CHECK(old.receive(15) == "HTTP/1.1 200 OK");
  CAF_CHECK(eventually([&] {
    tls_client fresh{port, {}};
    return fresh.shake_hands() && fresh.names("gnomon:node:n2");
  }));
}

CAF_TEST(without_a_token_nothing_is_told_but_the_health) {
  limits.security.authorize = true;
  start();
  publish("a", "secret value");
  const auto answer = ask("GET", "/data/a");
  CAF_CHECK_EQUAL(answer.status, 401);
  CAF_CHECK(has(answer.head, "WWW-Authenticate: Bearer"));
  CAF_CHECK(!has(answer.body, "secret value"));
  CAF_CHECK_EQUAL(ask("GET", "/health/live").status, 200);
  for (std::string field : {"Authorization: Bearer gnomon_0123456789abcdef_x", "Authorization: Basic YTpi",
                            "Authorization: Bearer", "Authorization: x"})
    CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, field + "\r\n").status, 401);
  CAF_CHECK_EQUAL(ask("PUT", "/data/b", "x").status, 401);
  CAF_CHECK_EQUAL(stored(), 0u);
  CAF_CHECK_EQUAL(ask("GET", "/nowhere").status, 401);
}

CAF_TEST(a_token_opens_what_its_role_and_types_permit) {
  limits.security.authorize = true;
  start();
  publish("news/1", "value");
  publish("sports/1", "value");
  const auto reader = add_token("reader", role::read), writer = add_token("writer", role::write, {"news"});
  CAF_CHECK_EQUAL(ask("GET", "/data/news/1", {}, reader).body, "value");
  CAF_CHECK_EQUAL(ask("PUT", "/data/news/2", "x", reader).status, 403);
  CAF_CHECK_EQUAL(ask("PUT", "/data/news/2", "x", writer).status / 100, 2);
  CAF_CHECK_EQUAL(ask("PUT", "/data/sports/2", "x", writer).status, 403);
  CAF_CHECK_EQUAL(ask("GET", "/data/news/1", {}, writer).status, 200);
  CAF_CHECK_EQUAL(ask("GET", "/data/sports/1", {}, writer).status, 403);
  CAF_CHECK_EQUAL(ask("GET", "/data/sport%73/1", {}, writer).status, 403);
  CAF_CHECK_EQUAL(stored(), 1u);
  auto wrong = reader;
  wrong[wrong.size() - 4] = wrong[wrong.size() - 4] == 'x' ? 'y' : 'x';
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(ask("GET", "/data/news/1", {}, wrong).status, 401);
}

CAF_TEST(a_token_that_was_revoked_or_has_ended_opens_nothing_at_the_next_request) {
  limits.security.authorize = true;
  start();
  publish("a", "value");
  const auto token = add_token("t", role::admin), brief = add_token("brief", role::read, {}, wall_time() + 1s);
  tls_client client{port, {}};
  CAF_REQUIRE(client.shake_hands());
  const auto request = "GET /data/a HTTP/1.1\r\nHost: x\r\n" + token + "\r\n";
  CAF_REQUIRE(client.send(request));
  auto got = client.receive(12);
  CAF_CHECK_EQUAL(got, "HTTP/1.1 200");
  CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, brief).status, 200);
  revoke("t");
  CAF_REQUIRE(client.send(request));
  while (!got.ends_with("HTTP/1.1 401") && got.size() < 5000)
    got += client.receive(1);
  CAF_CHECK(got.ends_with("HTTP/1.1 401"));
  CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, token).status, 401);
  CAF_CHECK(eventually([&] { return ask("GET", "/data/a", {}, brief).status == 401; }));
}

CAF_TEST(requests_that_come_while_a_token_is_checked_are_answered_in_their_order) {
  limits.security.authorize = true;
  start();
  for (auto id : {"a", "b", "c"})
    publish(id, std::string{"value of "} + id);
  const auto token = add_token("t", role::read);
  tls_client client{port, {}};
  CAF_REQUIRE(client.shake_hands());
  std::string all;
  for (auto id : {"a", "b", "c"})
    all += "GET /data/" + std::string{id} + " HTTP/1.1\r\nHost: x\r\n" + token
           + (id == std::string{"c"} ? "Connection: close\r\n\r\n" : "\r\n");
  CAF_REQUIRE(client.send(all));
  const auto got = client.receive(10'000);
  const auto a = got.find("value of a"), b = got.find("value of b"), c = got.find("value of c");
  CAF_CHECK(a < b && b < c && c != std::string::npos);
}

CAF_TEST(a_certificate_of_a_client_opens_what_the_config_says) {
  limits.security.authorize = true;
  limits.security.clients["reports"] = std::make_shared<const grant>(grant{"certificate reports", role::read});
  start();
  publish("a", "value");
  const auto good = showing(authority.files_for_http({"reports", bearer::client}));
  CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, {}, good).body, "value");
  CAF_CHECK_EQUAL(ask("PUT", "/data/a", "x", {}, good).status, 403);
  CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, {}, showing(authority.files_for_http({"others", bearer::client}))).status,
                  401);
  CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, {}, showing(authority.files_for("reports"))).status, 401); // of a node
  const test_authority foreign{"foreign"};
  CAF_CHECK_EQUAL(ask("GET", "/data/a", {}, {}, showing(foreign.files_for_http({"reports", bearer::client}))).status,
                  0);
  CAF_CHECK_EQUAL(
      ask("GET", "/data/a", {}, {}, showing(authority.files_for_http({"reports", bearer::client}, past()))).status, 0);
  const auto token = add_token("writer", role::write); // which counts where both are shown
  CAF_CHECK_EQUAL(ask("PUT", "/data/a", "x", token, good).status / 100, 2);
}

CAF_TEST(a_client_whose_certificate_is_refused_reads_why_though_it_has_asked) {
  start();
  const test_authority foreign{"foreign"};
  tls_client client{port, showing(foreign.files_for_http({"reports", bearer::client}))};
  CAF_REQUIRE(client.shake_hands() && client.send("GET /data/a HTTP/1.1\r\nHost: x\r\n\r\n"));
  CAF_CHECK(eventually([&] { return has(ask("GET", "/metrics").body, "gnomon_http_failed_openings_total 1"); }));
  CAF_CHECK(!client.was_reset());
  CAF_CHECK_EQUAL(client.receive(1), "");
  CAF_CHECK(client.is_told_of_unknown_authority());
}

CAF_TEST(a_client_is_no_longer_known_once_the_config_does_not_name_it_or_its_authority) {
  limits.security.authorize = true;
  limits.security.clients["reports"] = std::make_shared<const grant>(grant{"certificate reports", role::read});
  start();
  publish("a", "value");
  tls_client client{port, showing(authority.files_for_http({"reports", bearer::client}))};
  CAF_REQUIRE(client.shake_hands());
  auto status = [&] {
    CAF_REQUIRE(client.send("GET /data/a HTTP/1.1\r\nHost: x\r\n\r\n"));
    std::string head;
    while (!head.ends_with("\r\n\r\n") && head.size() < 5000)
      head += client.receive(1);
    const auto at = head.find("Content-Length: ");
    client.receive(std::strtoul(head.c_str() + at + 16, nullptr, 10));
    return head.substr(9, 3);
  };
  CAF_CHECK_EQUAL(status(), "200");
  auto security = limits.security;
  const test_authority next{"next"};
  auto files = authority.files_for_http({"n1", bearer::node, {"127.0.0.1"}});
  files.authorities = authority.beside(next);
  security.credentials = server_of(files);
  server->secure(security);
  CAF_CHECK_EQUAL(status(), "200");
  files.authorities = next.certificate();
  security.credentials = server_of(files);
  server->secure(security);
  CAF_CHECK(eventually([&] { return status() == "401"; }));
}

CAF_TEST(behind_a_proxy_the_client_is_whom_the_proxy_names) {
  limits.security.credentials = nullptr;
  limits.security.proxy_protocol = true;
  limits.security.proxies = {*ip_prefix::parse("127.0.0.1/32")};
  start();
  publish("a", "value");
  CAF_CHECK(is(once("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\nGET /data/a HTTP/1.1\r\nHost: x\r\n\r\n"), 200));
  CAF_CHECK(is(once("PROXY UNKNOWN\r\nGET /data/a HTTP/1.1\r\nHost: x\r\n\r\n"), 200));
  CAF_CHECK_EQUAL(once("GET /data/a HTTP/1.1\r\nHost: x\r\n\r\n"), "");
}

CAF_TEST(who_is_no_proxy_cannot_connect_where_proxies_are_expected) {
  limits.security.credentials = nullptr;
  limits.security.proxy_protocol = true;
  limits.security.proxies = {*ip_prefix::parse("192.0.2.0/24")};
  start();
  CAF_CHECK_EQUAL(once("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\nGET /data/a HTTP/1.1\r\nHost: x\r\n\r\n"), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
