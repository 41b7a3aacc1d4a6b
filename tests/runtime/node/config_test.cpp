#define CAF_SUITE config
#include "runtime/node/config.hpp"
#include "runtime/node/config_keys.hpp"
#include "runtime/node/node_location.hpp"

#include <caf/test/dsl.hpp>

#include <fstream>
#include <sstream>

using namespace gnomon;

namespace {

/// The sentence that this text, or these overrides, end a start with; empty when they do not.
std::string problem(const std::string& text, const std::vector<std::string>& overrides = {}) {
  auto config = parse_config(text, "x.toml", overrides);
  return config ? std::string{} : sentence_of(config.error());
}

std::string read_file(const std::string& path) {
  std::ifstream in{path};
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

node_config sound() {
  auto config =
      parse_config("[cluster]\ninsecure = true\n[node]\nname = 'a'\nregion = 'r'\nlatitude = 1\nlongitude = 2\n"
                   "data_dir = 'd'\n",
                   "x.toml");
  CAF_REQUIRE(config);
  return *config;
}

bool has(const std::string& text, const std::string& part) {
  auto found = text.find(part) != std::string::npos;
  if (!found)
    CAF_MESSAGE("no \"" << part << "\" in \"" << text << "\"");
  return found;
}

/// What is wrong with a sound config after the change.
template <class F>
std::string refused(F change) {
  auto config = sound();
  change(config);
  auto err = check_config(config);
  return err ? sentence_of(err) : "sound";
}

} // namespace

CAF_TEST(default_toml_says_what_the_program_does_without_it) {
  auto documented = parse_config(read_file(GNOMON_CONFIGS "/default.toml"), "default.toml");
  CAF_REQUIRE(documented);
  auto found = config_text(*documented);
  auto built_in = config_text(node_config{});
  for (size_t i = 0; i < found.size(); ++i)
    CAF_CHECK_EQUAL(found[i].first + " = " + found[i].second, built_in[i].first + " = " + built_in[i].second);
}

CAF_TEST(default_toml_documents_every_key) {
  auto text = read_file(GNOMON_CONFIGS "/default.toml");
  for (const auto& key : config_keys()) {
    auto section = text.find("\n[" + std::string{key.section} + "]");
    CAF_REQUIRE(section != std::string::npos);
    auto end = text.find("\n[", section + 1);
    auto body = text.substr(section, end - section);
    auto name = std::string{key.name};
    auto documented =
        body.find("\n" + name + " = ") != std::string::npos || body.find("\n# " + name + " = ") != std::string::npos;
    CAF_CHECK_EQUAL(documented ? "documented" : name, "documented");
  }
}

CAF_TEST(the_ready_configs_are_sound) {
  for (auto file : {"single", "five-regions/us-east-1", "five-regions/sa-east-1", "five-regions/eu-central-1",
                    "five-regions/ap-south-1", "five-regions/ap-northeast-1"}) {
    auto config = load_config(GNOMON_CONFIGS "/" + std::string{file} + ".toml", {});
    if (!config)
      CAF_ERROR(sentence_of(config.error()));
  }
}

CAF_TEST(an_unknown_key_is_named_with_its_line_and_the_keys_that_exist) {
  auto sentence = problem("[node]\nname = 'a'\n\n[links]\nqueue = 3\n");
  CAF_CHECK(has(sentence, "x.toml:5: unknown key links.queue"));
  CAF_CHECK(has(sentence, "[links] knows queue_bytes, queue_messages"));
  CAF_CHECK(has(problem("[nodes]\n"), "x.toml:1: unknown section [nodes]; the sections are cluster, node"));
  CAF_CHECK(has(problem("name = 'a'\n"), "x.toml:1: unknown key name; keys stand in sections"));
}

CAF_TEST(a_bad_value_is_named_with_what_is_allowed) {
  CAF_CHECK(has(problem("[placement]\nfactor = 0\n"), "x.toml:2: placement.factor = 0 must be a number from 1 to 64"));
  CAF_CHECK(has(problem("[placement]\nfactor = '3'\n"), "placement.factor = '3' must be a number"));
  CAF_CHECK(has(problem("[membership]\nheartbeat = 500\n"), "must be a duration from \"10ms\""));
  CAF_CHECK(has(problem("[membership]\nheartbeat = '500'\n"), "must be a duration"));
  CAF_CHECK(has(problem("[index]\nmax_bytes = '1GB'\n"), "must be a size from \"1MiB\""));
  CAF_CHECK(has(problem("[listen]\nhttp = '127.0.0.1'\n"), "must be HOST:PORT"));
  CAF_CHECK(has(problem("[listen]\nhttp = '127.0.0.1:70000'\n"), "must be HOST:PORT"));
  CAF_CHECK(has(problem("[node]\nname = 'a b'\n"), "must be a name of 1 to 64 letters"));
  CAF_CHECK(has(problem("[node]\nlatitude = 91.5\n"), "must be a number from -90 to 90"));
  CAF_CHECK(has(problem("[node]\nlatitude = nan\n"), "must be a number from -90 to 90"));
  CAF_CHECK(has(problem("[links]\ndelay = {a = '11s'}\n"), "must be a table from node names"));
  CAF_CHECK(has(problem("[cluster]\nseeds = 'a:1'\n"), "must be a list of HOST:PORT"));
  CAF_CHECK(has(problem("[cluster]\nseeds = ['a']\n"), "must be a list of HOST:PORT"));
  CAF_CHECK(has(problem("[log]\nlevel = 'loud'\n"), "must be \"debug\", \"info\""));
  CAF_CHECK(has(problem("[log]\nlevel = 1979-05-27\n"), "must be \"debug\", \"info\""));
  CAF_CHECK(has(problem("[location]\nnetworks = ['10.0.0.1/8 = a']\n"), "must be a list of \"NETWORK = REGION\""));
  CAF_CHECK(has(problem("[location]\nproxies = ['proxy.example.com']\n"), "must be a list of networks"));
  CAF_CHECK(has(problem("[placement\n"), "x.toml:1: not TOML"));
  CAF_CHECK(has(problem("[node]\nname = 'a'\nname = 'b'\n"), "x.toml:3: not TOML"));
}

CAF_TEST(the_locator_gets_what_the_config_says) {
  auto config = sound();
  config.location_databases = {"a.mmdb", "b.mmdb"};
  config.location_networks = {"10.20.0.0/16 = eu-central-1", "192.0.2.0/24 = 50.11, 8.68"};
  config.location_proxies = {"10.0.0.0/8", "2001:db8::1"};
  const auto location = location_of(config);
  CAF_CHECK(location.databases == config.location_databases);
  CAF_REQUIRE_EQUAL(location.networks.size(), 2u);
  CAF_CHECK_EQUAL(location.networks[0].region, "eu-central-1");
  CAF_CHECK(location.networks[1].at && location.networks[1].at->latitude == 50.11);
  CAF_CHECK_EQUAL(location.own_region, config.region);
  CAF_REQUIRE_EQUAL(proxies_of(config).size(), 2u);
  CAF_CHECK_EQUAL(to_string(proxies_of(config)[1]), "2001:db8::1/128");
}

CAF_TEST(an_override_wins_over_the_file_and_is_checked_alike) {
  auto config = parse_config("[node]\nname = 'a'\n", "x.toml",
                             {"node.name=b", "placement.shadow_ttl=2h", "placement.factor=5", "placement.acks=all",
                              "links.delay.us-east-1=40ms", "links.delay.b.c=5ms", "cluster.seeds=[\"h:1\", \"h:2\"]",
                              "listen.http=", "node.region=17"});
  CAF_REQUIRE(config);
  CAF_CHECK_EQUAL(config->name, "b");
  CAF_CHECK_EQUAL(config->region, "17");
  CAF_CHECK(config->actors.shadow_ttl == 2h);
  CAF_CHECK_EQUAL(config->actors.factor, 5u);
  CAF_CHECK(config->link_delay.at("us-east-1") == 40ms);
  CAF_CHECK(config->link_delay.at("b.c") == 5ms);
  CAF_CHECK_EQUAL(config->seeds.size(), 2u);
  CAF_CHECK(config->http.empty());
  CAF_CHECK(has(problem("", {"placement.factor=0"}), "--set placement.factor: placement.factor = 0 must be a number"));
  CAF_CHECK(has(problem("", {"nodes.name=a"}),
                "--set nodes.name: unknown key nodes.name; did you mean node.name? the sections are"));
  CAF_CHECK(has(problem("", {"node.color=red"}), "unknown key node.color; [node] knows name"));
  CAF_CHECK(has(problem("", {"placement.facter=3"}), "did you mean placement.factor? [placement] knows"));
  CAF_CHECK(has(problem("", {"http.listen=3"}), "did you mean listen.http?"));
  CAF_CHECK(has(problem("", {"factor"}), "must be SECTION.KEY=VALUE"));
}

CAF_TEST(a_node_with_a_certificate_may_listen_anywhere_and_says_where_it_is_reached) {
  auto with_tls = [](auto change) {
    return refused([&](node_config& c) {
      c.insecure = false;
      c.certificate = "a.pem";
      c.key = "a.key";
      c.authorities = "ca.pem";
      change(c);
    });
  };
  CAF_CHECK_EQUAL(with_tls([](auto&) {}), "sound");
  CAF_CHECK_EQUAL(with_tls([](auto& c) { c.tunnel.host = "192.0.2.1"; }), "sound");
  CAF_CHECK_EQUAL(with_tls([](auto& c) { c.seeds = {"192.0.2.1:7101", "[2001:db8::1]:7101"}; }), "sound");
  CAF_CHECK(has(with_tls([](auto& c) { c.seeds = {"node.example:7101"}; }), "cluster.seeds"));
  for (auto missing : {&node_config::certificate, &node_config::key, &node_config::authorities})
    CAF_CHECK(has(with_tls([&](auto& c) { (c.*missing).clear(); }), "belong together"));
  for (auto everywhere : {"0.0.0.0", "::"}) {
    auto listen = [&](node_config& c) { c.tunnel.host = everywhere; };
    CAF_CHECK(has(with_tls(listen), "cluster.advertise must be set"));
    auto told = [&](const std::string& host, uint16_t port) {
      return with_tls([&](auto& c) {
        listen(c);
        c.advertise = {host, port};
      });
    };
    CAF_CHECK_EQUAL(told("203.0.113.7", 7101), "sound");
    CAF_CHECK_EQUAL(told("2001:db8::7", 17101), "sound");
    CAF_CHECK(has(told("0.0.0.0", 7101), "cluster.advertise ="));
    CAF_CHECK(has(told("203.0.113.7", 0), "cluster.advertise ="));
    CAF_CHECK(has(told("node.example", 7101), "cluster.advertise ="));
  }
}

CAF_TEST(what_one_key_alone_cannot_tell_is_checked_as_well) {
  CAF_CHECK(!check_config(sound()));
  CAF_CHECK(has(refused([](auto& c) { c.name.clear(); }), "node.name must be set"));
  CAF_CHECK(has(refused([](auto& c) { c.has_place = false; }), "node.latitude and node.longitude must be set"));
  CAF_CHECK(has(refused([](auto& c) { c.insecure = false; }), "or cluster.insecure = true for plain TCP on loopback"));
  CAF_CHECK(has(refused([](auto& c) { c.tunnel.host = "0.0.0.0"; }), "would let anybody in: set cluster.certificate"));
  CAF_CHECK(has(refused([](auto& c) { c.tunnel.host = "127.0.0.1.example.com"; }), "listen.tunnel"));
  CAF_CHECK(has(refused([](auto& c) { c.seeds = {"127.0.0.1:7101", "node-b:7101"}; }), "cluster.seeds: 'node-b:7101'"));
  CAF_CHECK(has(refused([](auto& c) { c.seeds = {"127.0.0.1:0"}; }), "cluster.seeds: 127.0.0.1:0 has no port"));
  CAF_CHECK(has(refused([](auto& c) { c.seeds = {"192.0.2.1:7101"}; }), "cluster.seeds"));
  CAF_CHECK_EQUAL(refused([](auto& c) { c.seeds = {"localhost:7101", "[::1]:7101"}; }), "sound");
  for (auto name : {"node.example.com", "*", "127.0.0", "localhost.", "1.2.3.4.5", "::g", "127.0.0.1 "})
    CAF_CHECK(has(refused([&](auto& c) { c.http.host = name; }), "listen.http = "));
  for (auto address : {"localhost", "127.0.0.7", "::1"})
    CAF_CHECK_EQUAL(refused([&](auto& c) { c.http.host = address; }), "sound");
  for (auto address : {"0.0.0.0", "::", "192.0.2.1", "10.0.0.1"}) {
    CAF_CHECK(has(refused([&](auto& c) { c.http.host = address; }), "or set http.insecure = true"));
    auto open = [&](auto& c) {
      c.http.host = address;
      c.http_insecure = true;
    };
    CAF_CHECK_EQUAL(refused(open), "sound");
  }
  CAF_CHECK(
      has(refused([](auto& c) { c.http_certificate = "a.pem"; }), "http.certificate and http.key belong together"));
  CAF_CHECK(has(refused([](auto& c) { c.http_client_authorities = "ca.pem"; }), "needs http.certificate"));
  CAF_CHECK(has(refused([](auto& c) { c.http_clients = {"x = read"}; }), "http.client_authorities and http.clients"));
  CAF_CHECK(has(refused([](auto& c) { c.http_proxy_protocol = true; }), "http.proxy_protocol needs http.proxies"));
  node_config tls;
  tls.http = {"0.0.0.0", 8101};
  CAF_CHECK(tls.authorizes_http());
  tls.http_insecure = true;
  CAF_CHECK(!tls.authorizes_http());
  tls.http_tokens = true;
  CAF_CHECK(tls.authorizes_http());
  CAF_CHECK(!node_config{}.authorizes_http());
  auto both = [&](auto tunnel, auto http) {
    return refused([=](node_config& c) {
      c.http_insecure = true;
      c.tunnel = {tunnel, 7101};
      c.http = {http, 7101};
    });
  };
  for (auto http : {"127.0.0.1", "localhost", "0.0.0.0", "::"})
    CAF_CHECK(has(both("127.0.0.1", http), "cannot be at one address and port"));
  CAF_CHECK(has(both("localhost", "127.0.0.1"), "cannot be at one address and port"));
  CAF_CHECK_EQUAL(both("127.0.0.1", "127.0.0.2"), "sound");
  CAF_CHECK_EQUAL(both("127.0.0.1", "::1"), "sound");
  CAF_CHECK(has(refused([](auto& c) { c.http = c.tunnel; }), "give each its own port"));
  CAF_CHECK(has(refused([](auto& c) { c.socket = std::string(200, 'x'); }), "longer than"));
  CAF_CHECK(has(refused([](auto& c) { c.actors.factor = 1; }), "must not exceed placement.factor"));
  CAF_CHECK(has(refused([](auto& c) { c.actors.down_after = 1s; }), "must grow in that order"));
}

CAF_TEST(beyond_loopback_nodes_meet_in_private_networks_only) {
  auto reachable = [](auto network, auto address) {
    return [=](node_config& c) {
      c.insecure_networks = {network};
      c.tunnel.host = address;
    };
  };
  for (auto [network, address] : {std::pair{"10.77.0.0/24", "10.77.0.9"}, std::pair{"fd00::/8", "fd00::1"}}) {
    auto config = sound();
    reachable(network, address)(config);
    CAF_CHECK(!check_config(config));
  }
  CAF_CHECK(has(refused(reachable("10.77.0.0/24", "10.77.1.9")), "would let anybody in"));
  CAF_CHECK(has(refused(reachable("10.77.0.0/24", "0.0.0.0")), "would let anybody in"));
  for (auto bad : {"8.8.8.0/24", "0.0.0.0/0", "10.0.0.0/7", "10.0.0.0", "::/0", "nonsense", ""})
    CAF_CHECK(has(refused(reachable(bad, "127.0.0.1")), "must be a private network"));
}

CAF_TEST(a_file_that_cannot_be_read_or_never_ends_is_named) {
  auto config = load_config("/nowhere/x.toml", {});
  CAF_REQUIRE(!config);
  CAF_CHECK(has(sentence_of(config.error()), "cannot open /nowhere/x.toml: No such file"));
  config = load_config("/dev/zero", {});
  CAF_REQUIRE(!config);
  CAF_CHECK(has(sentence_of(config.error()), "/dev/zero holds more than 1048576 bytes"));
}

CAF_TEST(a_reload_tells_what_changes_at_once_from_what_needs_a_restart) {
  auto before = sound();
  auto after = before;
  after.log_level = "debug";
  after.actors.factor = 4;
  auto [restart, now] = changed_keys(before, after);
  CAF_CHECK_EQUAL(restart, std::vector<std::string>{"placement.factor"});
  CAF_CHECK_EQUAL(now, std::vector<std::string>{"log.level"});
}
