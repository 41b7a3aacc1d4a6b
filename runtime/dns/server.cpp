#include "runtime/dns/server.hpp"

#include "gnomon/error.hpp"
#include "runtime/base/log.hpp"

namespace gnomon::dns {

namespace {

// UDP and TCP at one port. When any port will do, a few are tried, for TCP may already have that of UDP.
std::pair<descriptor, descriptor> open_both(const host_port& where) {
  constexpr int most_tries = 20;
  for (int tries = 0;; ++tries) {
    auto tcp = open_tcp(where);
    try {
      auto udp = open_udp({where.host, bound_to(tcp).port});
      return {std::move(udp), std::move(tcp)};
    } catch (const failure&) {
      if (where.port != 0 || tries == most_tries)
        throw;
    }
  }
}

} // namespace

dns_server::dns_server(server_config config, std::vector<zone> zones, const item_directory& items,
                       const published<region_table>& regions, ranking rank)
    : config_(std::move(config)), responder_(config_.answers, std::move(zones), items, regions, std::move(rank)) {}

dns_server::~dns_server() {
  stop();
}

void dns_server::start() {
  stop();
  std::vector<descriptor> udp;
  std::vector<descriptor> tcp;
  std::vector<host_port> addresses;
  for (const auto& where : config_.listen) {
    auto [first, listener] = open_both(where);
    addresses.push_back(bound_to(first));
    udp.push_back(std::move(first));
    for (size_t i = 1; i < config_.threads; ++i)
      udp.push_back(open_udp(addresses.back()));
    tcp.push_back(std::move(listener));
  }
  try {
    for (auto& socket : udp)
      udp_.push_back(std::make_unique<udp_worker>(responder_, std::move(socket)));
    tcp_ = std::make_unique<tcp_worker>(responder_, std::move(tcp), config_.tcp, config_.cookie_rotation);
  } catch (...) { // no thread is left
    stop();
    throw;
  }
  addresses_ = std::move(addresses);
  for (const auto& where : addresses_)
    log::info("dns", "listening", {{"address", to_string(where)}, {"threads", config_.threads}});
}

void dns_server::stop() {
  for (const auto& each : udp_)
    each->stop();
  udp_.clear();
  tcp_.reset();
  addresses_.clear();
}

std::vector<host_port> dns_server::addresses() const {
  return addresses_;
}

counter_sums dns_server::counted() const {
  counter_sums sums;
  for (const auto& each : udp_)
    add_to(sums, each->counted());
  if (tcp_)
    add_to(sums, tcp_->counted());
  return sums;
}

} // namespace gnomon::dns
