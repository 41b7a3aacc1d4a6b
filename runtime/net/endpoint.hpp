#pragma once

#include "runtime/base/error.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <vector>

namespace gnomon {

/// Where nodes may speak plain TCP: on loopback, and in the private networks that the operator names.
class plain_networks {
public:
  /// Errors: invalid_argument for text that is no network such as "10.77.0.0/24", or for a network with addresses that
  /// are not private.
  static expected<plain_networks> from(const std::vector<std::string>& texts);
  bool allow(const boost::asio::ip::address& who) const;

private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

/// host:port with a literal address (IPv6 in brackets) or localhost, which is 127.0.0.1. Names are not looked up.
/// Errors: invalid_argument, with a sentence that names the text.
expected<boost::asio::ip::tcp::endpoint> parse_address(const std::string& text);

/// True when two servers cannot listen there at the same time: the port is the same, and so is the address, or one
/// address stands for all.
bool clash(const boost::asio::ip::tcp::endpoint& a, const boost::asio::ip::tcp::endpoint& b);

/// As `parse_address`, for addresses where plain TCP is allowed: without TLS, no byte may cross a network that
/// strangers can reach. Errors: invalid_argument, with a sentence that names the text.
expected<boost::asio::ip::tcp::endpoint> parse_plain(const std::string& text, const plain_networks& allowed);

/// The same form back.
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

} // namespace gnomon
