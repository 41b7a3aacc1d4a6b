// A DNS server with made-up items, for tests with real clients and for the bench.
//
// usage: gnomon-dns-demo [--listen ADDRESS:PORT] [--threads N] [--items N] [--zone NAME] [--zone-file PATH]
//                        [--networks PATH] [--rate N] [--nsid TEXT] [--detector-ms N] [--down REGION]...
//                        [--peers DIRECTORY] [--label N]
//
// Item number n is called item/n. Regions 0 to 4 hold it as bits of the set that n gives (see holders_of). Clients see
// the regions in the order that the networks file gives: lines PREFIX,REGION; the named region is the nearest, the
// others follow round the circle. SIGUSR1 takes the first live region down, SIGTERM ends the server. With --label it
// prints the label of item number N, and ends. With --peers it writes what gdnsd and knot need to answer the same, and
// ends.

#include "runtime/base/log.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/dns/ranked_prefixes.hpp"
#include "runtime/dns/server.hpp"
#include "tests/dns/demo_world.hpp"

#include <spdlog/fmt/fmt.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>

using namespace gnomon;
using namespace gnomon::dns;

namespace {

struct options {
  std::map<std::string, std::string> values{{"listen", "127.0.0.1:5300"}, {"threads", "1"}, {"items", "1000"},
                                            {"zone", "g.example"},        {"rate", "0"},    {"detector-ms", "2000"}};
  std::vector<std::string> down;

  bool has(const std::string& name) const {
    return values.contains(name);
  }
  size_t number(const std::string& name) const {
    const auto value = parse_number<size_t>(values.at(name));
    if (!value)
      throw std::runtime_error("--" + name + " takes a number");
    return *value;
  }
};

options read(int argc, char** argv) {
  options given;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = std::string(argv[i]).substr(2);
    if (name == "down")
      given.down.emplace_back(argv[i + 1]);
    else
      given.values[name] = argv[i + 1];
  }
  return given;
}

zone zone_for(const options& given, const region_table& table) {
  if (given.has("zone-file"))
    return read_zone_file(given.values.at("zone"), given.values.at("zone-file"));
  std::vector<std::string> names;
  for (const auto& each : table.regions)
    names.push_back(each.name);
  return read_zone(given.values.at("zone"), plain_zone_text(given.values.at("zone"), names));
}

void say(const dns_server& server) {
  for (const auto& where : server.addresses())
    std::cout << "listening " << to_string(where) << std::endl;
}

void report(const counter_sums& sums) {
  uint64_t queries = 0;
  for (const auto each : sums.queries)
    queries += each;
  std::cout << fmt::format(
      "queries {} subnets {} cookies {} tcp {} truncated {} limited {} malformed {} ignored {} nxdomain {}\n", queries,
      sums.subnets, sums.cookies, sums.tcp, sums.truncated, sums.limited, sums.malformed, sums.ignored,
      sums.answers[rcode::nxdomain]);
}

void serve(const options& given) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const auto each : {SIGTERM, SIGINT, SIGUSR1})
    sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto table = demo::regions();
  for (auto& each : table.regions)
    each.live = std::find(given.down.begin(), given.down.end(), each.name) == given.down.end();
  table.detector_bound = std::chrono::milliseconds(given.number("detector-ms"));
  published<region_table> regions;
  regions.set(table);
  item_directory items;
  demo::fill(items, given.number("items"));

  server_config config;
  config.listen = {parse_host_port(given.values.at("listen")).value()};
  config.threads = given.number("threads");
  config.answers.rate.answers_per_second = static_cast<uint32_t>(given.number("rate"));
  config.answers.nsid = given.has("nsid") ? given.values.at("nsid") : "";
  std::vector<zone> zones;
  zones.push_back(zone_for(given, table));
  const auto networks =
      given.has("networks") ? demo::read_networks(given.values.at("networks"), table) : std::vector<ranked_network>{};
  const auto ranked = std::make_shared<ranked_prefixes>(networks, demo::order_from(0));
  dns_server server(config, std::move(zones), items, regions, [=](const ip_prefix& from) { return (*ranked)(from); });
  server.start();
  say(server);
  for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
    sigwait(&signals, &signal);
    if (signal == SIGUSR1)
      regions.update([](region_table& next) { demo::take_first_down(next); });
  }
  report(server.counted());
  server.stop();
}

} // namespace

int main(int argc, char** argv) {
  try {
    log::start("", "warn");
    const auto given = read(argc, argv);
    if (given.has("label"))
      std::cout << label_of(demo::item_name(given.number("label"))) << '\n';
    else if (given.has("peers"))
      demo::write_peers(given.values.at("peers"), given.values.at("zone"), given.number("items"),
                        given.values.at("networks"));
    else
      serve(given);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "gnomon-dns-demo: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
