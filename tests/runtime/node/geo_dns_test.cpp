#define CAF_SUITE geo_dns
#include "runtime/node/geo_dns.hpp"

#include "runtime/base/label.hpp"
#include "tests/dns/messages.hpp"

#include <caf/test/dsl.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

using namespace gnomon;

namespace {

/// A node's Geo-DNS without the node: regions r1 (its own), r2 and r3, of which r2 and r3 are near clients of
/// 192.0.2.0/24. What actors would publish is set by hand.
struct fixture {
  fixture() {
    auto own = identity("a", "r1", 1);
    node = std::make_shared<node_context>(own, settings{}, std::make_shared<scaled_clock>());
    node->config.down_after = 50s;
    node->config.detour = 30ms;
    location_config where;
    where.networks = {*parse_configured_network("192.0.2.0/24 = r2")};
    where.own_region = "r1";
    node->places = *locator::make(where);
    node->fresh_until_ms = INT64_MAX;
    for (auto& slice : node->counters.catalogs_whole)
      slice = true;
    constexpr auto none = std::numeric_limits<double>::quiet_NaN();
    node->distances.set(
        round_trip_estimate{{{"r1", {}, {none, 90, 90}}, {"r2", {}, {none, none, 20}}, {"r3", {}, {}}}});
    set_load(0);
    node_config config;
    config.actors = node->config;
    config.region = "r1";
    config.dns = {"127.0.0.1", 0};
    config.dns_zones = {"g.example"};
    config.dns_threads = 1;
    config.dns_answers_per_second = 0;
    auto zones = zones_of(config);
    CAF_REQUIRE(zones);
    dns = std::make_unique<geo_dns>(node, config, std::move(*zones));
    CAF_REQUIRE(!dns->start());
  }
  ~fixture() {
    dns->stop();
  }

  static node_identity identity(const std::string& name, const std::string& region, int number) {
    node_identity who;
    who.node = name;
    who.region = region;
    who.http = {"127.0.0.1" + std::to_string(number) + ":80"};
    return who;
  }

  /// What r2 says of itself.
  void set_load(double load) {
    cluster_view view;
    for (auto [name, region, number] : {std::tuple{"b", "r2", 2}, std::tuple{"c", "r3", 3}}) {
      peer_view peer;
      peer.identity = identity(name, region, number);
      peer.state = peer_state::live;
      view.peers.push_back(std::move(peer));
    }
    view.peers.front().load = load;
    node->cluster.set(std::move(view));
  }

  dns::test::packet ask(const std::string& id) const {
    auto socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    timeval bound{5, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(dns->addresses().front().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto question =
        dns::test::bytes_of({.name = label_of(id) + ".g.example", .options = dns::test::subnet_option("192.0.2.0/24")});
    ::sendto(socket, question.data(), question.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    dns::test::message answer(4096);
    auto size = ::recv(socket, answer.data(), answer.size(), 0);
    ::close(socket);
    answer.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return dns::test::parse(answer);
  }
  std::string named(const std::string& id) const {
    auto answer = ask(id);
    if (!answer)
      return "silence";
    if (auto lines = dns::test::answers(answer); !lines.empty())
      return lines.front();
    return ldns_pkt_get_rcode(answer.get()) == LDNS_RCODE_SERVFAIL ? "not ready" : "nobody";
  }
  uint32_t ttl(const std::string& id) const {
    return ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_answer(ask(id).get()), 0));
  }
  bool becomes(const std::string& id, const std::string& expected) const {
    for (int i = 0; i < 100 && named(id) != expected; ++i)
      std::this_thread::sleep_for(50ms);
    return named(id) == expected;
  }

  context_ptr node;
  std::unique_ptr<geo_dns> dns;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(geo_dns_tests, fixture)

CAF_TEST(of_two_near_regions_the_loaded_one_is_passed_over) {
  node->holders_changed("x", {"a", "b", "c"}, 0);
  node->holders_changed("far", {"a", "b"}, 0);
  CAF_CHECK(becomes("x", "127.0.0.12"));
  set_load(0.9);
  CAF_CHECK(becomes("x", "127.0.0.13"));
  CAF_CHECK_EQUAL(named("far"), "127.0.0.12"); // the next one is 90 ms away: too far
  set_load(0.5);
  CAF_CHECK(becomes("x", "127.0.0.12"));
}

CAF_TEST(a_holder_is_not_named_for_longer_than_its_lease) {
  auto now = epoch_seconds(node->time->now());
  node->holders_changed("kept", {"b"}, 0);
  node->holders_changed("leased", {"b"}, now + 20);
  node->holders_changed("over", {"b"}, now - 1);
  CAF_CHECK_EQUAL(ttl("kept"), 50u);
  CAF_CHECK(ttl("leased") <= 20 && ttl("leased") > 15);
  CAF_CHECK_EQUAL(ttl("over"), 1u);
}

CAF_TEST(after_the_catalog_is_lost_no_name_leads_to_a_copy_that_went_meanwhile) {
  node->holders_changed("stays", {"b", "c"}, 0);
  node->holders_changed("goes", {"b"}, 0);
  CAF_CHECK(becomes("goes", "127.0.0.12"));
  node->counters.catalogs_whole[0] = false;
  node->catalog_lost();
  CAF_CHECK_EQUAL(named("goes"), "not ready"); // resolvers ask another node
  node->holders_changed("stays", {"c"}, 0);    // the new shard has read its slice
  CAF_CHECK_EQUAL(named("stays"), "127.0.0.13");
  node->counters.catalogs_whole[0] = true;
  CAF_CHECK(becomes("goes", "nobody"));
}

CAF_TEST_FIXTURE_SCOPE_END()
