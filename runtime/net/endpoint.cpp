#include "runtime/net/endpoint.hpp"

#include <charconv>

namespace gnomon {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

expected<tcp::endpoint> parse_endpoint(const std::string& text) {
  auto wrong = [&] {
    return make_error(ec::invalid_argument,
                      "'" + text + "' is not an address such as 127.0.0.1:7100, [::1]:7100 or localhost:7100");
  };
  auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return wrong();
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host == "localhost")
    host = "127.0.0.1";
  uint16_t port = 0;
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data() + colon + 1, last, port);
  boost::system::error_code bad_host;
  auto address = asio::ip::make_address(host, bad_host);
  if (failure != std::errc{} || end != last || bad_host)
    return wrong();
  return tcp::endpoint{address, port};
}

} // namespace

std::string to_text(const tcp::endpoint& endpoint) {
  auto host = endpoint.address().to_string();
  if (endpoint.address().is_v6())
    host = "[" + host + "]";
  return host + ":" + std::to_string(endpoint.port());
}

expected<tcp::endpoint> parse_loopback(const std::string& text) {
  auto endpoint = parse_endpoint(text);
  if (endpoint && !endpoint->address().is_loopback())
    return make_error(ec::invalid_argument,
                      "nodes speak plain TCP while the config says insecure, so only loopback addresses such as "
                      "127.0.0.1:7100 are allowed, not "
                          + text);
  return endpoint;
}

} // namespace gnomon
