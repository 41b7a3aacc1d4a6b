#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// The two formats of a trace, one line at a time. Pure functions.
namespace gnomon::replay {

/// One read as its line tells it. `region` is empty for access logs, which know only the client's address.
struct raw_read {
  double t = 0; // seconds, in traces with dates since 1970 UTC
  std::string user;
  std::string region;
  std::string item;
};

/// A line that is well-formed but no read: a header, an empty line, a POST, a request that failed.
struct no_read {};

/// A line that cannot be understood; the reason is a sentence for a person that starts in lower case.
struct malformed {
  std::string reason;
};

using parsed_line = std::variant<raw_read, no_read, malformed>;

/// `t,user,region,item`; fields may be quoted as in RFC 4180; the line `t,user,region,item` itself is a header.
parsed_line parse_csv_line(std::string_view line);

/// Common or Combined Log Format. A read is a GET answered with 2xx or 304: its item is "web" and the path without the
/// query, its user the client address, its time the date with its zone.
parsed_line parse_access_log_line(std::string_view line);

/// True when the line looks like an access log's, malformed or not: decides the format of a file.
bool looks_like_access_log(std::string_view line);

/// The part of a client address that decides its region until location databases say better: an IPv4 address's /16, an
/// IPv6 address's /32, a host name as it is.
std::string network_of(std::string_view client);

} // namespace gnomon::replay
