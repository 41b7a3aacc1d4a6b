#define CAF_SUITE cluster
#include "runtime/replay/cluster.hpp"

#include "temporary_folder.hpp"

#include <caf/test/dsl.hpp>

#include <csignal>
#include <set>
#include <thread>

using namespace gnomon;
using namespace gnomon::replay;
using namespace std::chrono_literals;

namespace {

std::string config(const std::string& name) {
  return "[node]\nname = \"" + name + "\"\nregion = \"" + name + "\"\nlatitude = 1.5\nlongitude = 2.5\n";
}

/// A program that stands for gnomond.
std::filesystem::path script(const temporary_folder& folder, const std::string& text) {
  auto file = folder.write("gnomond", "#!/bin/sh\n" + text);
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  return file;
}

bool ended_within(process& program, std::chrono::milliseconds bound) {
  auto deadline = std::chrono::steady_clock::now() + bound;
  while (program.running() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(5ms);
  return !program.running();
}

} // namespace

CAF_TEST(a_folder_of_configs_gives_its_nodes_and_a_broken_one_is_named) {
  temporary_folder folder;
  folder.write("b.toml", config("b"));
  folder.write("a.toml", config("a"));
  folder.write("README.md", "no config");
  auto nodes = read_node_configs(folder.path());
  CAF_REQUIRE(nodes);
  CAF_REQUIRE_EQUAL(nodes->size(), 2u);
  CAF_CHECK_EQUAL((*nodes)[0].name, "a");
  CAF_CHECK_EQUAL((*nodes)[1].region.where->longitude, 2.5);
  folder.write("c.toml", "[node]\nname = ");
  CAF_CHECK(sentence_of(read_node_configs(folder.path()).error()).find("c.toml line 2: ") != std::string::npos);
  folder.write("c.toml", "[node]\nname = \"c\"\n");
  CAF_CHECK(sentence_of(read_node_configs(folder.path()).error()).find("names no node.name") != std::string::npos);
  CAF_CHECK(!read_node_configs(folder.path() / "nowhere"));
}

CAF_TEST(a_node_is_started_with_its_ports_seeds_clock_and_half_of_each_round_trip) {
  cluster_options options;
  options.gnomond = "/bin/gnomond";
  options.work = "/work folder";
  options.time_scale = 640.5;
  options.settings = {"placement.factor=1"};
  std::vector<node_config> nodes{{"a.toml", "a", {"a", {}}}, {"b.toml", "b", {"b", {}}}};
  round_trips distances;
  distances.set("a", "b", 115);
  std::string text;
  for (const auto& word : node_command(options, nodes, 0, {{1, 2}, {3, 4}}, distances, 99))
    text += word + '|';
  CAF_CHECK_EQUAL(
      text, "/bin/gnomond|--config-file=a.toml|--set|listen.http=\"127.0.0.1:1\"|--set|listen.tunnel=\"127.0.0.1:2\"|"
            "--set|cluster.seeds=[\"127.0.0.1:2\", \"127.0.0.1:4\"]|--set|node.data_dir=\"/work folder/a\"|"
            "--set|clock.scale=640.500000|--set|clock.origin=99|--set|links.delay.b=\"57ms\"|"
            "--set|placement.factor=1|");
  auto back = node_command(options, nodes, 1, {{1, 2}, {3, 4}}, distances, 99);
  CAF_CHECK(std::find(back.begin(), back.end(), "links.delay.a=\"58ms\"") != back.end());
  options.delays = false;
  auto undelayed = node_command(options, nodes, 1, {{1, 2}, {3, 4}}, distances, 99);
  CAF_CHECK(std::none_of(undelayed.begin(), undelayed.end(), [](auto& word) { return word.starts_with("links."); }));
}

CAF_TEST(a_node_with_a_zone_answers_dns_and_knows_where_the_clients_of_all_regions_are) {
  cluster_options options;
  options.gnomond = "/bin/gnomond";
  options.zone = "g.example";
  std::vector<node_config> nodes{{"a.toml", "a", {"a", {}}}, {"b.toml", "b", {"b", {}}}};
  auto command = node_command(options, nodes, 1, {{1, 2, 3}, {4, 5, 6}}, {}, 0);
  for (auto setting :
       {"listen.dns=\"127.0.0.1:6\"", "listen.public_http=[\"127.0.0.1:4\"]", "dns.zones=[\"g.example\"]",
        "location.networks=[\"10.1.0.0/16 = a\", \"10.2.0.0/16 = b\"]", "location.proxies=[\"127.0.0.1/32\"]"})
    CAF_CHECK(std::find(command.begin(), command.end(), setting) != command.end());
  CAF_CHECK_EQUAL(clients_of(1), "10.2.0.0");
}

CAF_TEST(free_ports_are_all_different) {
  auto ports = free_ports(20);
  CAF_REQUIRE(ports);
  CAF_CHECK_EQUAL((std::set<uint16_t>{ports->begin(), ports->end()}.size()), 20u);
}

CAF_TEST(a_process_tells_how_it_ended_and_goes_with_its_owner) {
  temporary_folder folder;
  auto log = folder.path() / "log";
  auto program = process::start({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}, log);
  CAF_REQUIRE(program);
  CAF_CHECK(ended_within(**program, 5s));
  CAF_CHECK_EQUAL((*program)->ending(), "exit status 3");
  CAF_CHECK_EQUAL(last_lines(log, 9), "out\nerr");
  CAF_CHECK_EQUAL(last_lines(log, 1), "err");
  auto sleeper = process::start({"/bin/sleep", "60"}, log);
  CAF_REQUIRE(sleeper);
  auto pid = (*sleeper)->pid();
  sleeper->reset();
  CAF_CHECK(::kill(pid, 0) != 0);
  CAF_CHECK(sentence_of(process::start({"/nowhere/gnomond"}, log).error()).find("cannot run /nowhere/gnomond: ") == 0);
}

CAF_TEST(a_node_that_ends_while_starting_is_told_with_the_end_of_its_log) {
  temporary_folder folder;
  temporary_folder configs;
  configs.write("a.toml", config("a"));
  event_loop loop;
  cluster_options options;
  options.gnomond = script(folder, "echo 'the store is locked' >&2; exit 1\n");
  options.configs = configs.path();
  options.work = folder.path() / "work";
  options.delays = false;
  auto cluster = local_cluster::start(loop, options);
  CAF_REQUIRE(!cluster);
  auto sentence = sentence_of(cluster.error());
  CAF_CHECK(sentence.find("the node of a has ended (exit status 1)") == 0);
  CAF_CHECK(sentence.ends_with("the end of its log:\nthe store is locked"));
}
