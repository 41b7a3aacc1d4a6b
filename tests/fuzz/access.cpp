// What strangers send before anybody knows who they are: the header of a proxy, a token, the names of clients in a
// config.
#include "runtime/access/role.hpp"
#include "runtime/access/token.hpp"
#include "runtime/base/proxy_header.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

namespace gnomon::fuzz {
namespace {

constexpr size_t longest_header = 16 + 65'535;

void read_header(std::string_view input) {
  proxy_header header;
  size_t at = 0;
  while (auto wanted = header.wanted()) {
    const auto count = std::min(wanted, input.size() - at);
    if (count == 0)
      return;
    header.take(input.substr(at, count));
    at += count;
    require(at <= longest_header, "a header ends");
  }
  require(!header.broken() || !header.source(), "a broken header names nobody");
}

void read(std::string_view input) {
  read_header(input);
  if (auto parts = parse_token(input))
    require(input.ends_with(parts->secret), "a token's secret stands at its end");
  if (auto client = parse_named_grant(input))
    require(client->rights.may != role::none, "a client that is named may do something");
}

std::vector<std::string> examples() {
  using namespace std::string_literals;
  const auto signature = "\r\n\r\n\0\r\nQUIT\n"s;
  return {"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
          "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n",
          "PROXY UNKNOWN\r\n",
          signature + "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\xdc\4\1\xbb"s,
          signature + "\x20\0\0\0"s,
          "gnomon_0011223344556677_" + std::string(43, 'a'),
          "reports = read",
          "importer = write news sports"};
}

const listed this_target{"access", read, examples};

} // namespace
} // namespace gnomon::fuzz
