#define CAF_SUITE geo_dns
#include "runtime/base/label.hpp"
#include "tests/cluster/node_under_test.hpp"
#include "tests/dns/messages.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>

using namespace gnomon::test;
namespace dns = gnomon::dns;

namespace {

/// A question over UDP, and what ldns makes of the answer; null when none comes.
dns::test::packet ask(uint16_t port, const dns::test::question& asked) {
  auto socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  timeval bound{2, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto bytes = dns::test::bytes_of(asked);
  ::sendto(socket, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  dns::test::message answer(4096);
  auto size = ::recv(socket, answer.data(), answer.size(), 0);
  ::close(socket);
  answer.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return dns::test::parse(answer);
}

/// Three regions whose HTTP clients are told three addresses of this machine. Clients of 192.0.2.0/24 are in r3.
struct three_regions {
  explicit three_regions(int copies, bool shadows = false) {
    auto number = 1;
    for (auto* node : {&a, &b, &c}) {
      if (node != &a)
        node->seed(a);
      auto text = std::to_string(number++);
      node->set("placement.factor=" + std::to_string(copies)).set("placement.min_copies=" + std::to_string(copies));
      node->set(shadows ? "placement.shadow_on_read=true" : "placement.shadow_on_read=false");
      node->set("location.detour=0ms"); // the machine may be busy
      node->set("repair.after=10m").set("location.proxies=[\"127.0.0.1/32\"]");
      node->set("listen.dns=127.0.0.1:0").set("dns.zones=[\"g.example\"]").set("dns.answers_per_second=0");
      node->set("listen.public_http=[\"127.0.0.1" + text + ":80" + text + "\"]");
      node->set("location.networks=[\"192.0.2.0/24 = r3\", \"198.51.100.0/24 = r1\"]");
    }
  }
  bool start() {
    return a.start_and_wait() && b.start_and_wait() && c.start_and_wait()
           && within(30s, [&] { return addresses(c, "g.example").size() == 1 && code(c, "nothing") == "NXDOMAIN"; });
  }

  static uint16_t port_of(node_under_test& node) {
    auto text = node.log();
    auto at = text.find("dns listening address=127.0.0.1:");
    return at == std::string::npos ? 0 : static_cast<uint16_t>(std::atoi(text.c_str() + at + 32));
  }
  static dns::test::packet answer(node_under_test& at, const std::string& name, uint16_t type,
                                  const std::string& client = "203.0.113.0/24") {
    return ask(port_of(at), {.name = name, .qtype = type, .options = dns::test::subnet_option(client)});
  }
  static std::vector<std::string> addresses(node_under_test& at, const std::string& name,
                                            const std::string& client = "203.0.113.0/24") {
    auto got = answer(at, name, dns::type::a, client);
    return got ? dns::test::answers(got) : std::vector<std::string>{};
  }
  static std::string code(node_under_test& at, const std::string& id) {
    auto got = answer(at, name_of(id), dns::type::a);
    if (!got)
      return "none";
    auto* text = ldns_pkt_rcode2str(ldns_pkt_get_rcode(got.get()));
    std::string result = text;
    std::free(text);
    return result;
  }
  static std::string name_of(const std::string& id) {
    return gnomon::label_of(id) + ".g.example";
  }

  temporary_directory dir;
  node_under_test a{"a", "r1", dir.path()};
  node_under_test b{"b", "r2", dir.path()};
  node_under_test c{"c", "r3", dir.path()};
};

using lines = std::vector<std::string>;

} // namespace

CAF_TEST(the_name_of_an_item_leads_to_who_holds_it) {
  three_regions cluster{1};
  CAF_REQUIRE(cluster.start());
  CAF_REQUIRE_EQUAL(cluster.b.put("x", "1").status, 201);
  for (auto* node : {&cluster.a, &cluster.b, &cluster.c})
    CAF_CHECK(within(10s, [&] { return cluster.addresses(*node, cluster.name_of("x")) == lines{"127.0.0.12"}; }));
  auto services = cluster.answer(cluster.a, cluster.name_of("x"), dns::type::svcb);
  CAF_REQUIRE(services);
  CAF_REQUIRE_EQUAL(dns::test::answers(services).size(), 1u);
  CAF_CHECK(dns::test::answers(services).front().find("1 r2.g.example. port=802") == 0);
  CAF_CHECK_EQUAL(cluster.addresses(cluster.a, "r3.g.example"), lines{"127.0.0.13"});
  CAF_CHECK_EQUAL(cluster.code(cluster.a, "y"), "NXDOMAIN");
  CAF_REQUIRE_EQUAL(http(cluster.b.http_port(), "DELETE", "/data/x").status, 204);
  for (auto* node : {&cluster.a, &cluster.b, &cluster.c})
    CAF_CHECK(within(10s, [&] { return cluster.code(*node, "x") == "NXDOMAIN"; }));
}

CAF_TEST(the_nearest_live_holder_is_named_and_a_dead_one_is_not) {
  three_regions cluster{3};
  CAF_REQUIRE(cluster.start());
  CAF_REQUIRE_EQUAL(cluster.a.put("x", "1", "Gnomon-Acks: all\r\n").status, 201);
  auto named = [&](const std::string& client) { return cluster.addresses(cluster.a, cluster.name_of("x"), client); };
  CAF_CHECK(within(10s, [&] { return named("192.0.2.0/24") == lines{"127.0.0.13"}; }));
  CAF_CHECK_EQUAL(named("198.51.100.0/24"), lines{"127.0.0.11"});
  auto scoped = dns::test::option_of(cluster.answer(cluster.a, cluster.name_of("x"), dns::type::a, "192.0.2.128/25"),
                                     dns::option::client_subnet);
  CAF_REQUIRE(scoped);
  CAF_CHECK_EQUAL(static_cast<int>((*scoped)[3]), 24);
  cluster.c.kill();
  CAF_CHECK(within(10s, [&] { return named("192.0.2.0/24") != lines{"127.0.0.13"}; }));
  CAF_CHECK_EQUAL(named("192.0.2.0/24").size(), 1u);
}

CAF_TEST(a_node_alone_knows_what_does_not_exist) {
  three_regions cluster{1};
  CAF_REQUIRE(cluster.a.start_and_wait());
  CAF_REQUIRE_EQUAL(cluster.a.put("x", "1").status, 201);
  CAF_CHECK(within(10s, [&] { return cluster.addresses(cluster.a, cluster.name_of("x")) == lines{"127.0.0.11"}; }));
  CAF_REQUIRE_EQUAL(http(cluster.a.http_port(), "DELETE", "/data/x").status, 204);
  CAF_CHECK(within(10s, [&] { return cluster.code(cluster.a, "x") == "NXDOMAIN"; }));
}

CAF_TEST(a_route_is_explained_for_an_address) {
  three_regions cluster{3};
  CAF_REQUIRE(cluster.start());
  CAF_REQUIRE_EQUAL(cluster.a.put("x", "1", "Gnomon-Acks: all\r\n").status, 201);
  nlohmann::json page;
  CAF_CHECK(within(10s, [&] {
    page = nlohmann::json::parse(cluster.a.get("/route?data_id=x&ip=192.0.2.7").body, nullptr, false);
    return page.is_object() && page["regions"][0]["region"] == "r3"
           && page["regions"][0]["holds"].get<bool>(); // ldns makes `true` a 1
  }));
  CAF_CHECK(page["client"].get<std::string>().find("192.0.2.7") == 0);
  CAF_CHECK_EQUAL(cluster.a.get("/route?data_id=x&ip=192.0.2").status, 400);
  CAF_CHECK_EQUAL(cluster.a.get("/route?data_id=x&ip=192.0.2.7&lat=1&lon=2").status, 400);
}

CAF_TEST(a_policy_sends_readers_to_the_nearest_holder) {
  three_regions cluster{1};
  CAF_REQUIRE(cluster.start());
  CAF_REQUIRE_EQUAL(http(cluster.a.http_port(), "PUT", "/policy/default", "{\"routing\": \"redirect\"}",
                         "Content-Type: application/json\r\n")
                        .status,
                    200);
  CAF_REQUIRE_EQUAL(cluster.b.put("x", "1").status, 201);
  auto sent_on = [&] {
    auto answer = cluster.a.get("/data/x?user_id=ann");
    return answer.status == 307
           && answer.head.find("Location: http://127.0.0.12:802/data/x?user_id=ann\r\n") != std::string::npos;
  };
  CAF_CHECK(within(10s, sent_on));
  CAF_CHECK_EQUAL(cluster.b.get("/data/x").body, "1");
}

CAF_TEST(a_read_leaves_a_shadow_in_the_region_of_its_reader) {
  three_regions cluster{1, true};
  CAF_REQUIRE(cluster.start());
  CAF_REQUIRE_EQUAL(http(cluster.a.http_port(), "PUT", "/policy/type/kept", "{\"residency\": [\"r1\", \"r2\"]}",
                         "Content-Type: application/json\r\n")
                        .status,
                    200);
  auto in_r3 = "X-Forwarded-For: 192.0.2.9\r\n";
  auto read_at_b = [&](const std::string& id) { return http(cluster.b.http_port(), "GET", "/data/" + id, {}, in_r3); };
  auto named_in_r3 = [&](const std::string& id) {
    return cluster.addresses(cluster.a, cluster.name_of(id), "192.0.2.0/24");
  };
  for (auto id : {"free/x", "kept/x"}) {
    CAF_REQUIRE_EQUAL(cluster.b.put(id, "1").status, 201);
    CAF_CHECK(within(10s, [&] { return named_in_r3(id) == lines{"127.0.0.12"}; }));
    CAF_CHECK_EQUAL(read_at_b(id).body, "1");
  }
  CAF_CHECK(within(30s, [&] { // read until node b has met node c
    return read_at_b("free/x").body == "1" && named_in_r3("free/x") == lines{"127.0.0.13"};
  }));
  CAF_CHECK_EQUAL(http(cluster.c.http_port(), "GET", "/data/free/x").body, "1");
  CAF_CHECK_EQUAL(named_in_r3("kept/x"), lines{"127.0.0.12"}); // a rule keeps it away
  auto holders = [&](const std::string& id) { return cluster.b.get("/shadow/status?data_id=" + id).body; };
  CAF_CHECK(within(10s, [&] { return holders("free/x").find("\"c\"") != std::string::npos; }));
  CAF_CHECK(holders("kept/x").find("\"c\"") == std::string::npos);
}

CAF_TEST(readers_of_the_own_region_leave_no_further_shadow) {
  three_regions cluster{1, true};
  CAF_REQUIRE(cluster.start());
  CAF_REQUIRE_EQUAL(cluster.b.put("x", "1").status, 201);
  CAF_CHECK_EQUAL(cluster.b.get("/data/x").body, "1"); // an address of this machine: as near as can be
  CAF_CHECK_EQUAL(http(cluster.b.http_port(), "GET", "/data/x", {}, "X-Forwarded-For: 203.0.113.9\r\n").body, "1");
  std::this_thread::sleep_for(1s);
  auto page = cluster.b.get("/shadow/status?data_id=x").body;
  CAF_CHECK(page.find("\"a\"") == std::string::npos && page.find("\"c\"") == std::string::npos);
}

CAF_TEST(a_shadow_is_named_elsewhere_no_longer_than_its_lease) {
  three_regions cluster{1, true};
  for (auto* node : {&cluster.a, &cluster.b, &cluster.c})
    node->set("placement.shadow_ttl=20s").set("membership.down_after=50s");
  CAF_REQUIRE(cluster.start());
  CAF_REQUIRE_EQUAL(cluster.c.put("kept", "1").status, 201);
  CAF_REQUIRE_EQUAL(cluster.b.put("x", "1").status, 201);
  CAF_CHECK(within(10s, [&] { return cluster.c.get("/data/x").body == "1"; }));
  auto ttl_in_r3 = [&](const std::string& id) -> uint32_t {
    auto got = cluster.answer(cluster.a, cluster.name_of(id), dns::type::a, "192.0.2.0/24");
    auto named = got && dns::test::answers(got) == lines{"127.0.0.13"};
    return named ? ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_answer(got.get()), 0)) : 0;
  };
  CAF_CHECK(within(10s, [&] { return ttl_in_r3("kept") == 50; }));
  CAF_CHECK(within(20s, [&] { // a node that is still catching up leaves no shadow
    cluster.c.get("/data/x");
    return ttl_in_r3("x") > 0;
  }));
  CAF_CHECK(ttl_in_r3("x") <= 20);
}
