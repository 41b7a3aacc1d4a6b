// The small forms of text that requests, configs and files hold.
#include "actors/messages/feed_position.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/host_port.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/ip_address.hpp"
#include "runtime/base/label.hpp"
#include "runtime/base/percent.hpp"
#include "runtime/base/printable.hpp"
#include "runtime/base/times.hpp"
#include "runtime/base/units.hpp"
#include "runtime/dns/name.hpp"
#include "runtime/gateway/uri.hpp"
#include "tests/fuzz/target.hpp"

namespace gnomon::fuzz {
namespace {

void read_places(std::string_view input) {
  if (auto where = feed_position::from_text(input)) {
    const auto again = feed_position::from_text(where->to_text());
    require(again && again->to_text() == where->to_text(), "a position reads back as it was written");
  }
  if (auto where = parse_host_port(input))
    require(parse_host_port(to_string(*where)) == *where, "a host and port read back as they were written");
  if (auto address = ip_address::parse(input))
    require(ip_address::parse(to_string(*address)) == *address, "an address reads back as it was written");
  if (auto network = ip_prefix::parse(input)) {
    const auto again = ip_prefix::parse(to_string(*network));
    require(again && *again == *network, "a network reads back as it was written");
  }
  if (auto label = parse_label(input))
    require(parse_label(to_string(*label)) == *label, "a label reads back as it was written");
  if (auto name = dns::parse_name(input))
    dns::to_text(*name);
}

void read_values(std::string_view input) {
  if (auto bytes = percent_decode(input, true))
    require(*percent_decode(percent_encode(*bytes)) == *bytes, "bytes read back as they were written");
  if (auto bytes = base64_decode(input))
    require(base64_decode(base64_encode(*bytes)) == *bytes, "bytes read back as they were written");
  require(is_utf8(printable(input)), "what is printed is UTF-8");
  if (auto d = duration_from(input))
    require(duration_from(to_text(*d)) == *d, "a duration reads back as it was written");
  if (auto size = bytes_from(input))
    require(bytes_from(bytes_text(*size)) == *size, "a size reads back as it was written");
  if (auto id = checked_id(std::string{input}))
    require(id->size() <= max_id_bytes && is_utf8(*id), "an id is one");
  seconds_of_rfc3339(input);
  seconds_of_log_date(input);
  trace_seconds(input);
  if (auto when = parse_http_date(input))
    require(parse_http_date(http_date(*when)) == *when, "a date reads back as it was written");
  http::query_parameter(input, "name");
}

void read(std::string_view input) {
  read_places(input);
  read_values(input);
}

std::vector<std::string> examples() {
  return {feed_position{7, 9, feed_position::listing::living, "a b"}.to_text(),
          "7-9",
          "[::1]:80",
          "127.0.0.1:7101",
          "2001:db8::/32",
          "::ffff:192.0.2.1",
          "10.0.0.0/8",
          label_of("a"),
          "www.example.com.",
          "a%2Fb+c",
          "dmFsdWU=",
          "250ms",
          "64KiB",
          "2024-05-01T12:00:00.250+02:00",
          "17/May/2015:10:05:03 +0000",
          "Sun, 06 Nov 1994 08:49:37 GMT",
          "a=1&name=%C3%A4&name",
          "1.7e12"};
}

const listed this_target{"texts", read, examples};

} // namespace
} // namespace gnomon::fuzz
