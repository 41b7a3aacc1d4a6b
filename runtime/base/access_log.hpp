#pragma once

#include <string>
#include <string_view>
#include <variant>

/// Access logs of web servers, one line at a time. Pure functions.
namespace gnomon {

/// One read as its line tells it. `region` is empty where the line names none, as in access logs.
struct raw_read {
  double t = 0; // seconds, in traces with dates since 1970 UTC
  std::string user;
  std::string region;
  std::string item;
};

/// A request that is no read: why.
enum class no_read { other_method, redirected, failed };

/// A line that cannot be understood; the reason is a sentence for a person that starts in lower case.
struct malformed {
  std::string reason;
};

using parsed_line = std::variant<raw_read, no_read, malformed>;

/// Common or Combined Log Format, also with the virtual host in front. A read is a GET answered with 2xx or 304: its
/// item is "web" and the path without the query, its user the client address, its time the date with its zone.
parsed_line parse_access_log_line(std::string_view line);

/// True when the line looks like an access log's, malformed or not: decides the format of a file.
bool looks_like_access_log(std::string_view line);

} // namespace gnomon
