#include "runtime/net/endpoint.hpp"

#include "runtime/base/host_port.hpp"

#include <algorithm>

namespace gnomon {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

template <class Network>
bool covers(const Network& outer, const Network& inner) {
  return outer.prefix_length() <= inner.prefix_length()
         && Network{inner.address(), outer.prefix_length()}.canonical() == outer.canonical();
}

template <class Network>
bool covered(const std::vector<Network>& outer, const Network& inner) {
  return std::any_of(outer.begin(), outer.end(), [&](const Network& n) { return covers(n, inner); });
}

} // namespace

expected<tcp::endpoint> parse_address(const std::string& text) {
  auto wrong = [&] {
    return make_error(ec::invalid_argument,
                      "'" + text + "' is not an address such as 127.0.0.1:7100, [::1]:7100 or localhost:7100");
  };
  auto where = parse_host_port(text);
  if (!where)
    return wrong();
  boost::system::error_code bad_host;
  auto address = asio::ip::make_address(where->host == "localhost" ? "127.0.0.1" : where->host, bad_host);
  if (bad_host)
    return wrong();
  return tcp::endpoint{address, where->port};
}

bool clash(const tcp::endpoint& a, const tcp::endpoint& b) {
  auto covers = [](const asio::ip::address& wide, const asio::ip::address& narrow) {
    return wide == narrow || (wide.is_unspecified() && (wide.is_v6() || narrow.is_v4()));
  };
  return a.port() != 0 && a.port() == b.port()
         && (covers(a.address(), b.address()) || covers(b.address(), a.address()));
}

expected<plain_networks> plain_networks::from(const std::vector<std::string>& texts) {
  using asio::ip::make_network_v4, asio::ip::make_network_v6;
  static const std::vector<asio::ip::network_v4> private_v4{
      make_network_v4("10.0.0.0/8"), make_network_v4("172.16.0.0/12"), make_network_v4("192.168.0.0/16"),
      make_network_v4("169.254.0.0/16"), make_network_v4("127.0.0.0/8")};
  static const std::vector<asio::ip::network_v6> private_v6{make_network_v6("fc00::/7"), make_network_v6("fe80::/10")};
  plain_networks result;
  for (const auto& text : texts) {
    boost::system::error_code not_v4, not_v6;
    auto v4 = make_network_v4(text, not_v4);
    auto v6 = make_network_v6(text, not_v6);
    if (!not_v4 && covered(private_v4, v4))
      result.v4_.push_back(v4);
    else if (!not_v6 && covered(private_v6, v6))
      result.v6_.push_back(v6);
    else
      return make_error(ec::invalid_argument, "\"" + text + "\" must be a private network such as \"10.77.0.0/24\"");
  }
  return result;
}

bool plain_networks::allow(const asio::ip::address& who) const {
  if (who.is_loopback())
    return true;
  return who.is_v4() ? covered(v4_, asio::ip::network_v4{who.to_v4(), 32})
                     : covered(v6_, asio::ip::network_v6{who.to_v6(), 128});
}

std::string to_text(const tcp::endpoint& endpoint) {
  return to_string(host_port{endpoint.address().to_string(), endpoint.port()});
}

expected<tcp::endpoint> parse_plain(const std::string& text, const plain_networks& allowed) {
  auto endpoint = parse_address(text);
  if (endpoint && !allowed.allow(endpoint->address()))
    return make_error(ec::invalid_argument,
                      "plain TCP is only for loopback addresses such as 127.0.0.1:7100, and those of "
                      "cluster.insecure_networks, not "
                          + text + "; set cluster.certificate, cluster.key and cluster.authorities for TLS");
  return endpoint;
}

} // namespace gnomon
