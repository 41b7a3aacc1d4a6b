#pragma once

#include "runtime/base/error.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace gnomon {

/// host:port with a literal loopback address (IPv6 in brackets) or localhost: without TLS nothing may cross a network.
/// Errors: invalid_argument, with a sentence that names the text.
expected<boost::asio::ip::tcp::endpoint> parse_loopback(const std::string& text);

/// The same form back.
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

} // namespace gnomon
