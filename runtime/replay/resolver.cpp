#include "runtime/replay/resolver.hpp"

#include "runtime/replay/dns_client.hpp"

#include <fstream>
#include <optional>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

using namespace std::chrono_literals;

namespace {

constexpr auto ready_within = 15s;
constexpr size_t shown_log_lines = 12;

/// Debian keeps it where only root's PATH leads.
std::string unbound_program() {
  std::error_code ignored;
  for (const auto* place : {"/usr/sbin/unbound", "/usr/local/sbin/unbound"})
    if (std::filesystem::exists(place, ignored))
      return place;
  return "unbound";
}

} // namespace

std::string resolver_config(const std::filesystem::path& folder, const host_port& address, const std::string& zone,
                            const std::vector<host_port>& servers) {
  auto text = fmt::format(R"(server:
  interface: {host}@{port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  do-ip6: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  num-threads: 1
  do-not-query-localhost: no
  qname-minimisation: no
  local-zone: "{zone}." nodefault
  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
  client-subnet-always-forward: yes
remote-control:
  control-enable: no
stub-zone:
  name: "{zone}"
)",
                          fmt::arg("host", address.host), fmt::arg("port", address.port),
                          fmt::arg("folder", folder.string()), fmt::arg("zone", zone));
  for (const auto& server : servers)
    text += fmt::format("  stub-addr: {}@{}\n", server.host, server.port);
  return text;
}

expected<std::unique_ptr<resolver>> resolver::start(event_loop& loop, const std::filesystem::path& folder,
                                                    const std::string& zone, const std::vector<host_port>& servers) {
  auto port = free_ports(1);
  if (!port)
    return port.error();
  std::unique_ptr<resolver> result{new resolver};
  result->address_ = {"127.0.0.1", port->front()};
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  auto file = folder / "unbound.conf";
  std::ofstream out(file);
  out << resolver_config(std::filesystem::absolute(folder, failure), result->address_, zone, servers) << std::flush;
  if (!out)
    return make_error(ec::store_failed, "cannot write " + file.string());
  auto log = folder / "unbound.log";
  auto program = process::start({unbound_program(), "-c", file.string()}, log);
  if (!program)
    return program.error();
  result->program_ = std::move(*program);
  if (auto wrong = result->wait_until_ready(loop, log, zone))
    return wrong;
  return result;
}

caf::error resolver::wait_until_ready(event_loop& loop, const std::filesystem::path& log, const std::string& zone) {
  auto deadline = std::chrono::steady_clock::now() + ready_within;
  dns_client client(loop.io(), address_);
  for (;;) {
    std::optional<expected<dns_answer>> answer;
    client.ask({zone, true, "127.0.0.0", 8}, [&](const expected<dns_answer>& got) { answer.emplace(got); });
    if (auto wrong = loop.run_until([&] { return answer || !program_->running(); }, ready_within))
      return wrong;
    if (!program_->running())
      return make_error(ec::unavailable, fmt::format("unbound has ended ({}); the end of its log:\n{}",
                                                     program_->ending(), last_lines(log, shown_log_lines)));
    if (*answer && !(*answer)->services.empty())
      return {};
    if (std::chrono::steady_clock::now() > deadline)
      return make_error(ec::timeout, "unbound does not answer for " + zone + ": "
                                         + (*answer ? "it names no region" : sentence_of(answer->error())));
    if (auto wrong = loop.pause(200ms))
      return wrong;
  }
}

} // namespace gnomon::replay
